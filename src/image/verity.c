#include "image/verity.h"

#include <linux/fsverity.h>
#include <string.h>
#include <sys/ioctl.h>

#define SEAL_BLOCK_SIZE 4096

/* Kernels and file systems say in many ways that they cannot: they do not know the call, were built
 * or made without it, lack the hash, cannot have blocks of that size (before Linux 6.3 those of a
 * page only), or want a built-in signature (the sysctl fs.verity.require_signatures). */
static bool is_refusal(int errnum)
{
        switch (errnum) {
        case ENOTTY:
        case ENOSYS:
        case EOPNOTSUPP:
        case ENOPKG:
        case EINVAL:
        case EPERM:
                return true;
        default:
                return false;
        }
}

int su_verity_enable(int fd, const char *name, bool *ret_enabled, struct su_error *err)
{
        const struct fsverity_enable_arg parameters = {
                .version = 1,
                .hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
                .block_size = SEAL_BLOCK_SIZE,
        };
        bool enabled = ioctl(fd, FS_IOC_ENABLE_VERITY, &parameters) >= 0 || errno == EEXIST;

        if (!enabled && !is_refusal(errno))
                return su_fail_errno(err, errno, "cannot seal '%s'", name);
        *ret_enabled = enabled;
        return 0;
}

int su_verity_measure(int fd, const char *name, struct su_sha256 *ret, bool *ret_enabled,
                      struct su_error *err)
{
        union {
                struct fsverity_digest head;
                char room[sizeof(struct fsverity_digest) + SU_SHA256_SIZE];
        } digest = {.head.digest_size = SU_SHA256_SIZE};

        if (ioctl(fd, FS_IOC_MEASURE_VERITY, &digest) < 0) {
                /* ENODATA: not sealed. EOVERFLOW: with a longer digest. */
                if (errno != ENODATA && errno != EOVERFLOW && !is_refusal(errno))
                        return su_fail_errno(err, errno, "cannot ask for the seal of '%s'", name);
                *ret_enabled = false;
                return 0;
        }
        *ret_enabled = digest.head.digest_algorithm == FS_VERITY_HASH_ALG_SHA256 &&
                       digest.head.digest_size == SU_SHA256_SIZE;
        if (*ret_enabled)
                memcpy(ret->bytes, digest.room + sizeof digest.head, SU_SHA256_SIZE);
        return 0;
}

bool su_verity_enforces(int fd, const struct su_sha256 *seal)
{
        struct su_sha256 enforced;
        bool enabled;

        return su_verity_measure(fd, "", &enforced, &enabled, NULL) >= 0 && enabled &&
               su_sha256_equal(&enforced, seal);
}
