/* Mount a sealed image, by descriptor.
 *
 * The kernel reads the file of `image_fd` itself, so what was verified over that descriptor is what
 * is mounted. From Linux 6.12 an EROFS file is mounted directly; where the kernel or the file
 * system that holds the image cannot (ENOTBLK), through a loop device that ends with its mount.
 */
#pragma once

#include "base/error.h"

enum su_image_backing {
        SU_IMAGE_BACKING_ANY,
        SU_IMAGE_BACKING_FILE,
        SU_IMAGE_BACKING_LOOP,
};

/* A detached, read-only mount; the caller owns and attaches `ret_mount_fd`. `ret_used` may be NULL.
 */
int su_image_mount(int image_fd, const char *name, enum su_image_backing wanted, int *ret_mount_fd,
                   enum su_image_backing *ret_used, struct su_error *err);
