/* SHA-512 (FIPS 180-4), of memory or of a file: for repositories that name files by it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SU_SHA512_SIZE 64
#define SU_SHA512_HEX_SIZE (2 * SU_SHA512_SIZE + 1)

struct su_sha512 {
        uint8_t bytes[SU_SHA512_SIZE];
};

int su_sha512_of(const void *data, size_t size, struct su_sha512 *ret, struct su_error *err);

/* The whole file from offset 0; the file position is left alone. */
int su_sha512_of_fd(int fd, const char *name, struct su_sha512 *ret, struct su_error *err);

bool su_sha512_equal(const struct su_sha512 *a, const struct su_sha512 *b);
