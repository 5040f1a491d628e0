/* From a manifest to sealed images in the store: fetch the delta that was
 * chosen, decode it, verify the seal, give the image its name. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "device/choice.h"
#include "fetch/fetch.h"
#include "improvement/manifest.h"

/* Enough room for a download of `download` bytes and images of `images` bytes? SPACE, with numbers.
 */
int su_rebuild_check_space(int state_fd, uint64_t download, uint64_t images, struct su_error *err);

/* Fetch the delta into the store's downloads and check its digest. What is already there is used.
 */
int su_rebuild_fetch(int state_fd, struct su_fetch *fetch, const struct su_delta_ref *delta,
                     int *ret_patch_fd, struct su_error *err);

/* Told how far the decoding is; true asks it to stop (CANCELLED). */
struct su_rebuild_watch {
        bool (*progress)(void *userdata, uint64_t done, uint64_t total); /* may be NULL */
        void *userdata;
};

/* Decode in a worker, verify the seal, have the kernel enforce it where it can, and store the
 * image. The download is removed afterwards. SPACE when there is no room for it, BASELINE when a
 * source has changed since the delta was chosen, and WORKER when the decoder was ended. */
int su_rebuild_image(int state_fd, int base_fd, const struct su_choice *choice, int patch_fd,
                     const struct su_rebuild_watch *watch, struct su_error *err);

/* Remove a download. */
int su_rebuild_forget(int state_fd, const struct su_object *object, struct su_error *err);
