#include "device/image_store.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "image/seal.h"
#include "image/verity.h"

#define IMAGE_SUFFIX ".erofs"

int su_image_store_dir(int state_fd, int *ret_fd, struct su_error *err)
{
        return su_dir_make(state_fd, "images", 0755, ret_fd, err);
}

bool su_image_store_parse_name(const char *name, struct su_sha256 *ret)
{
        char hex[SU_SHA256_HEX_SIZE];

        if (strlen(name) != sizeof hex - 1 + strlen(IMAGE_SUFFIX) ||
            !su_ends_with(name, IMAGE_SUFFIX))
                return false;
        memcpy(hex, name, sizeof hex - 1);
        hex[sizeof hex - 1] = '\0';
        return su_hex_decode(hex, ret->bytes, sizeof ret->bytes);
}

int su_image_store_name(const struct su_image_ref *image, char **ret, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];

        su_hex_encode(image->seal.bytes, sizeof image->seal.bytes, hex);
        return su_format(ret, err, "%s" IMAGE_SUFFIX, hex);
}

/* Not looked into yet. */
static int open_image(int state_fd, const struct su_image_ref *image, char **ret_name, int *ret_fd,
                      struct su_error *err)
{
        su_auto_close int dir_fd = openat(state_fd, "images", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;
        int r;

        r = su_image_store_name(image, &name, err);
        if (r < 0)
                return r;
        if (dir_fd >= 0)
                fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return su_fail(err, SU_ERROR_NOT_FOUND, "image %s is not in the store", name);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open image %s", name);
        *ret_name = su_take(name);
        *ret_fd = su_take_fd(&fd);
        return 0;
}

int su_image_store_open(int state_fd, const struct su_image_ref *image, int *ret_fd,
                        struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;
        int r;

        r = open_image(state_fd, image, &name, &fd, err);
        if (r >= 0 && !su_verity_enforces(fd, &image->seal))
                r = su_seal_verify(fd, name, &image->seal, err);
        if (r < 0)
                return r;
        *ret_fd = su_take_fd(&fd);
        return 0;
}

int su_image_store_read(int state_fd, const struct su_image_ref *image, int *ret_fd,
                        struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;
        int r;

        r = open_image(state_fd, image, &name, &fd, err);
        if (r < 0)
                return r;
        /* What was read before says nothing about the disk. */
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        r = su_seal_verify(fd, name, &image->seal, err);
        if (r == -EIO && su_verity_enforces(fd, &image->seal))
                return su_fail(err, SU_ERROR_SEAL,
                               "image '%s' is damaged: the kernel refuses to read all of it", name);
        if (r < 0)
                return r;
        *ret_fd = su_take_fd(&fd);
        return 0;
}

bool su_image_store_enforces(int state_fd, const struct su_image_ref *image)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;

        return open_image(state_fd, image, &name, &fd, NULL) >= 0 &&
               su_verity_enforces(fd, &image->seal);
}
