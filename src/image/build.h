/* Make a component's image out of a staging directory (publisher; runs mkfs.erofs). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* The same tree, time and identity give the same bytes with the same mkfs.erofs. Every inode gets
 * the time `time` (seconds since 1970). `identity` is hashed into the file system's UUID. With
 * `keep_attributes` owners and extended attributes are those of the tree; else root is the owner of
 * all and there are none. File data is uncompressed and page-aligned,
 * which is what deltas want. `image_path` is replaced. */
int su_image_build(const char *tree_path, const char *image_path, int64_t time,
                   const char *identity, bool keep_attributes, struct su_error *err);
