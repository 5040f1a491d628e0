/* Objects on their way into the store: complete, or as far as they have come. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "crypto/sha256.h"
#include "fetch/fetch.h"
#include "improvement/manifest.h"

/* Fetch the object into the store's downloads and check its digest. What is already there is used,
 * and one that broke off goes on where it did. */
int su_download_fetch(int state_fd, struct su_fetch *fetch, const struct su_object *object,
                      int *ret_fd, struct su_error *err);

/* Remove a download, whether it is complete or not. */
int su_download_forget(int state_fd, const struct su_object *object, struct su_error *err);

/* Is that the name of a download, complete or not? */
bool su_download_parse_name(const char *name, struct su_sha256 *ret);
