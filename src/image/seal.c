#include "image/seal.h"

#include <libfsverity.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

struct cursor {
        int fd;
        uint64_t offset;
        const char *name;
        struct su_error *err;
};

static int read_next(void *userdata, void *buffer, size_t size)
{
        struct cursor *cursor = userdata;
        int r;

        r = su_read_exact_at(cursor->fd, buffer, size, cursor->offset, cursor->name, cursor->err);
        cursor->offset += size;
        return r;
}

int su_seal_compute(int fd, const char *name, struct su_sha256 *ret, struct su_error *err)
{
        struct libfsverity_digest *digest = NULL;
        struct cursor cursor = {fd, 0, name, err};
        struct libfsverity_merkle_tree_params params = {
                .version = 1,
                .hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
                .block_size = 4096,
        };
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", name);
        params.file_size = (uint64_t)st.st_size;
        if (err)
                *err = (struct su_error){0};
        r = libfsverity_compute_digest(&cursor, read_next, &params, &digest);
        if (r < 0) {
                if (err && err->code != SU_OK)
                        return r; /* read_next() said why */
                return su_fail_errno(err, r, "cannot compute the seal of '%s'", name);
        }
        memcpy(ret->bytes, digest->digest, sizeof ret->bytes);
        free(digest);
        return 0;
}

int su_seal_verify(int fd, const char *name, const struct su_sha256 *expected, struct su_error *err)
{
        struct su_sha256 seal;
        int r;

        r = su_seal_compute(fd, name, &seal, err);
        if (r < 0)
                return r;
        if (!su_sha256_equal(&seal, expected))
                return su_fail(err, SU_ERROR_SEAL,
                               "image '%s' does not carry the seal that its manifest names", name);
        return 0;
}
