/* Let the kernel enforce a seal: fs-verity, with the parameters of image/seal.h. A sealed file can
 * no more be written, and each block that is read from the disk is compared with the seal: one that
 * was changed below the file system gives EIO, or SIGBUS where it is mapped.
 * Source: Documentation/filesystems/fsverity.rst of the kernel, "User API". */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "crypto/sha256.h"

/* `fd` is open for reading, and the file is open for writing nowhere. What is sealed already stays
 * so. `ret_enabled` is false where the kernel or the file system cannot do it. */
int su_verity_enable(int fd, const char *name, bool *ret_enabled, struct su_error *err);

/* What the kernel enforces for the file of `fd`; `ret_enabled` is false, and `ret` left alone, when
 * that is nothing, or no digest of ours. */
int su_verity_measure(int fd, const char *name, struct su_sha256 *ret, bool *ret_enabled,
                      struct su_error *err);

/* Does the kernel enforce just that seal? Then the bytes need not be read to know them. */
bool su_verity_enforces(int fd, const struct su_sha256 *seal);
