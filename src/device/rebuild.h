/* From a delta to a sealed image in the store: decode it, verify the seal, give the image its name.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "device/choice.h"
#include "improvement/manifest.h"

/* Enough room for a download of `download` bytes and images of `images` bytes? SPACE, with numbers.
 */
int su_rebuild_check_space(int state_fd, uint64_t download, uint64_t images, struct su_error *err);

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
