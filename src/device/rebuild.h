/* From a manifest to sealed images in the store: choose a delta, fetch it,
 * decode it against the baseline's own files, verify the seal, give the image its name. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "fetch/fetch.h"
#include "improvement/manifest.h"

/* The smallest delta whose sources this baseline has. `base_fd` is the base. */
int su_rebuild_choose_delta(int base_fd, const struct su_component *component,
                            const struct su_delta_ref **ret, struct su_error *err);

/* Enough room for a download of `download` bytes and images of `images` bytes? SPACE, with numbers.
 */
int su_rebuild_check_space(int state_fd, uint64_t download, uint64_t images, struct su_error *err);

/* Fetch the delta into the store's downloads and check its digest. What is already there is used.
 */
int su_rebuild_fetch(int state_fd, struct su_fetch *fetch, const struct su_delta_ref *delta,
                     int *ret_patch_fd, struct su_error *err);

/* Decode, verify the seal, and store the image. The download is removed afterwards. */
int su_rebuild_image(int state_fd, int base_fd, const struct su_component *component,
                     const struct su_delta_ref *delta, int patch_fd, struct su_error *err);
