/* SHA-256 (FIPS 180-4), of memory, of a stream, or of a file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

#define SU_SHA256_SIZE 32
#define SU_SHA256_HEX_SIZE (2 * SU_SHA256_SIZE + 1)

struct su_sha256 {
        uint8_t bytes[SU_SHA256_SIZE];
};

struct su_sha256_stream;

int su_sha256_stream_new(struct su_sha256_stream **ret, struct su_error *err);
void su_sha256_stream_free(struct su_sha256_stream *stream);
int su_sha256_stream_update(struct su_sha256_stream *stream, const void *data, size_t size,
                            struct su_error *err);
/* Ends the stream: it can only be freed afterwards. */
int su_sha256_stream_finish(struct su_sha256_stream *stream, struct su_sha256 *ret,
                            struct su_error *err);

static inline void su_sha256_stream_free_p(struct su_sha256_stream **stream)
{
        su_sha256_stream_free(*stream);
}
#define su_auto_sha256_stream su_auto(su_sha256_stream_free_p)

int su_sha256_of(const void *data, size_t size, struct su_sha256 *ret, struct su_error *err);

/* The whole file from offset 0; the file position is left alone. `ret_size` may be NULL. */
int su_sha256_of_fd(int fd, const char *name, struct su_sha256 *ret, uint64_t *ret_size,
                    struct su_error *err);

int su_sha256_equal(const struct su_sha256 *a, const struct su_sha256 *b);
