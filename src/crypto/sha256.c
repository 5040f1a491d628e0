#include "crypto/sha256.h"

#include <openssl/evp.h>
#include <string.h>

struct su_sha256_stream {
        EVP_MD_CTX *context;
};

int su_sha256_stream_new(struct su_sha256_stream **ret, struct su_error *err)
{
        su_auto_sha256_stream struct su_sha256_stream *stream = calloc(1, sizeof *stream);

        if (!stream)
                return su_fail_oom(err);
        stream->context = EVP_MD_CTX_new();
        if (!stream->context)
                return su_fail_oom(err);
        if (EVP_DigestInit_ex(stream->context, EVP_sha256(), NULL) != 1)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot start SHA-256");
        *ret = su_take(stream);
        return 0;
}

void su_sha256_stream_free(struct su_sha256_stream *stream)
{
        if (!stream)
                return;
        EVP_MD_CTX_free(stream->context);
        free(stream);
}

int su_sha256_stream_update(struct su_sha256_stream *stream, const void *data, size_t size,
                            struct su_error *err)
{
        if (EVP_DigestUpdate(stream->context, data, size) != 1)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot compute SHA-256");
        return 0;
}

int su_sha256_stream_finish(struct su_sha256_stream *stream, struct su_sha256 *ret,
                            struct su_error *err)
{
        struct su_sha256 digest;

        if (EVP_DigestFinal_ex(stream->context, digest.bytes, NULL) != 1)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot finish SHA-256");
        *ret = digest;
        return 0;
}

int su_sha256_of(const void *data, size_t size, struct su_sha256 *ret, struct su_error *err)
{
        su_auto_sha256_stream struct su_sha256_stream *stream = NULL;
        int r;

        r = su_sha256_stream_new(&stream, err);
        if (r >= 0)
                r = su_sha256_stream_update(stream, data, size, err);
        if (r >= 0)
                r = su_sha256_stream_finish(stream, ret, err);
        return r;
}

int su_sha256_of_fd(int fd, const char *name, struct su_sha256 *ret, uint64_t *ret_size,
                    struct su_error *err)
{
        su_auto_sha256_stream struct su_sha256_stream *stream = NULL;
        char buffer[64 * 1024];
        uint64_t size = 0;
        int r;

        r = su_sha256_stream_new(&stream, err);
        if (r < 0)
                return r;
        for (;;) {
                ssize_t n = pread(fd, buffer, sizeof buffer, (off_t)size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return su_fail_errno(err, errno, "cannot read '%s'", name);
                if (n == 0)
                        break;
                r = su_sha256_stream_update(stream, buffer, (size_t)n, err);
                if (r < 0)
                        return r;
                size += (uint64_t)n;
        }
        r = su_sha256_stream_finish(stream, ret, err);
        if (r >= 0 && ret_size)
                *ret_size = size;
        return r;
}

int su_sha256_equal(const struct su_sha256 *a, const struct su_sha256 *b)
{
        return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
