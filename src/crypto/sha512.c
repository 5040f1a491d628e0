#include "crypto/sha512.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "crypto/openssl.h"

int su_sha512_of(const void *data, size_t size, struct su_sha512 *ret, struct su_error *err)
{
        if (EVP_Digest(data, size, ret->bytes, NULL, EVP_sha512(), NULL) != 1)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot compute SHA-512");
        return 0;
}

static int update_from_fd(EVP_MD_CTX *context, int fd, const char *name, struct su_error *err)
{
        char buffer[64 * 1024];
        off_t offset = 0;

        for (;;) {
                ssize_t n = pread(fd, buffer, sizeof buffer, offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return su_fail_errno(err, errno, "cannot read '%s'", name);
                if (n == 0)
                        return 0;
                if (EVP_DigestUpdate(context, buffer, (size_t)n) != 1)
                        return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot compute SHA-512");
                offset += n;
        }
}

int su_sha512_of_fd(int fd, const char *name, struct su_sha512 *ret, struct su_error *err)
{
        su_auto(su_md_context_free_p) EVP_MD_CTX *context = EVP_MD_CTX_new();
        struct su_sha512 digest;
        int r;

        if (!context)
                return su_fail_oom(err);
        if (EVP_DigestInit_ex(context, EVP_sha512(), NULL) != 1)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot start SHA-512");
        r = update_from_fd(context, fd, name, err);
        if (r < 0)
                return r;
        if (EVP_DigestFinal_ex(context, digest.bytes, NULL) != 1)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot finish SHA-512");
        *ret = digest;
        return 0;
}

bool su_sha512_equal(const struct su_sha512 *a, const struct su_sha512 *b)
{
        return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
