/* The images below the state directory, by seal. One that has its name is complete and durable. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "crypto/sha256.h"
#include "improvement/manifest.h"

/* Open an image that gives the bytes of its seal or none: where the kernel enforces the seal, that
 * is known without reading them; elsewhere it is verified over the open descriptor. NOT_FOUND when
 * it is not there, SEAL when it is damaged. */
int su_image_store_open(int state_fd, const struct su_image_ref *image, int *ret_fd,
                        struct su_error *err);
/* The same, but each byte is read from the disk and found good: for who looks again, and for who
 * maps the image, whom damage that the kernel finds would kill (SIGBUS). */
int su_image_store_read(int state_fd, const struct su_image_ref *image, int *ret_fd,
                        struct su_error *err);
/* Does the kernel enforce the seal of that image of the store? */
bool su_image_store_enforces(int state_fd, const struct su_image_ref *image);
/* The directory of the images, made when needed, and an image's name in it. */
int su_image_store_dir(int state_fd, int *ret_fd, struct su_error *err);
int su_image_store_name(const struct su_image_ref *image, char **ret, struct su_error *err);
bool su_image_store_parse_name(const char *name, struct su_sha256 *ret);
