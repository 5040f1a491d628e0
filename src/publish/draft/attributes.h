/* What belongs to a file beside its bytes and mode: its owner, its capabilities and other extended
 * attributes. An image keeps those that the baseline's file has: package managers set them apart
 * from the packages (dpkg-statoverride, setcap). */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"

/* Give `to_fd` the owner and the attributes of `from_fd`. CONFLICT when that needs root, and this
 * is not. `ret_special` becomes true when there is anything but the owner root; else it stays. */
int su_attributes_copy(int from_fd, int to_fd, const char *path, bool *ret_special,
                       struct su_error *err);
