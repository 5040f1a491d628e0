/* The seal of an image: its fs-verity digest (SHA-256, 4096-byte blocks, no salt).
 * Source: Documentation/filesystems/fsverity.rst of the kernel, "File digest computation". */
#pragma once

#include "base/error.h"
#include "crypto/sha256.h"

/* Over the open descriptor, from offset 0 to the end of the file. */
int su_seal_compute(int fd, const char *name, struct su_sha256 *ret, struct su_error *err);

/* SEAL when the file of `fd` does not carry `expected`. */
int su_seal_verify(int fd, const char *name, const struct su_sha256 *expected,
                   struct su_error *err);
