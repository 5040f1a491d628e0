#include "device/download.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

#define UNFINISHED_SUFFIX ".part"
#define UNFINISHED_NAME_SIZE (SU_SHA256_HEX_SIZE + sizeof UNFINISHED_SUFFIX - 1)

static int open_downloads(int state_fd, int *ret_fd, struct su_error *err)
{
        return su_dir_make(state_fd, "downloads", 0700, ret_fd, err);
}

static void object_name(const struct su_object *object, char ret[SU_SHA256_HEX_SIZE])
{
        su_hex_encode(object->sha256.bytes, sizeof object->sha256.bytes, ret);
}

static void unfinished_name(const char *name, char ret[UNFINISHED_NAME_SIZE])
{
        (void)snprintf(ret, UNFINISHED_NAME_SIZE, "%s" UNFINISHED_SUFFIX, name);
}

bool su_download_parse_name(const char *name, struct su_sha256 *ret)
{
        char hex[SU_SHA256_HEX_SIZE];

        if (strlen(name) < sizeof hex - 1)
                return false;
        memcpy(hex, name, sizeof hex - 1);
        hex[sizeof hex - 1] = '\0';
        name += sizeof hex - 1;
        return (!name[0] || strcmp(name, UNFINISHED_SUFFIX) == 0) &&
               su_hex_decode(hex, ret->bytes, sizeof ret->bytes);
}

static int check_object(int fd, const char *name, const struct su_object *object,
                        struct su_error *err)
{
        struct su_sha256 digest;
        uint64_t size;
        int r;

        r = su_sha256_of_fd(fd, name, &digest, &size, err);
        if (r < 0)
                return r;
        if (size != object->size || !su_sha256_equal(&digest, &object->sha256))
                return su_fail(err, SU_ERROR_DIGEST,
                               "'%s' is damaged: its SHA-256 is not the one in the manifest", name);
        return 0;
}

static int fetch_rest(struct su_fetch *fetch, const char *path, const struct su_object *object,
                      uint64_t offset, int fd, struct su_error *err)
{
        int r = 0;

        if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
                return su_fail_errno(err, errno, "cannot go on with '%s'", path);
        if (offset < object->size)
                r = su_fetch_rest_to_fd(fetch, path, object->size, offset, fd, err);
        return r < 0 ? r : check_object(fd, path, object, err);
}

/* It was interrupted, and what has come so far may be right. */
static bool is_interruption(enum su_error_code code)
{
        return code == SU_ERROR_TRUNCATED || code == SU_ERROR_UNREACHABLE ||
               code == SU_ERROR_CANCELLED || code == SU_ERROR_BUSY || code == SU_ERROR_WORKER;
}

/* What was here before is not believed: when all of it together is wrong, it is fetched once more,
 * from its beginning. */
static int receive(struct su_fetch *fetch, const char *path, const struct su_object *object, int fd,
                   struct su_error *err)
{
        struct stat st;
        uint64_t offset;
        int r;

        if (fstat(fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", path);
        offset = (uint64_t)st.st_size;
        if (offset > 0 && offset <= object->size) {
                r = fetch_rest(fetch, path, object, offset, fd, err);
                if (r >= 0 || is_interruption(err->code))
                        return r;
        }
        if (ftruncate(fd, 0) < 0)
                return su_fail_errno(err, errno, "cannot begin '%s' anew", path);
        return fetch_rest(fetch, path, object, 0, fd, err);
}

/* Of no use: nothing, or what is not the object. */
static bool is_useless(int fd, const struct su_error *why)
{
        struct stat st;

        return !is_interruption(why->code) || fstat(fd, &st) < 0 || st.st_size == 0;
}

static int download(int downloads_fd, struct su_fetch *fetch, const struct su_object *object,
                    const char *name, struct su_error *err)
{
        char unfinished[UNFINISHED_NAME_SIZE];
        su_auto_close int fd = -EBADF;
        su_auto_free char *path = NULL;
        int r;

        unfinished_name(name, unfinished);
        fd = openat(downloads_fd, unfinished, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot create a download");
        r = su_object_path(object, &path, err);
        if (r >= 0)
                r = receive(fetch, path, object, fd, err);
        if (r >= 0)
                r = su_file_publish(downloads_fd, fd, unfinished, name, err);
        if (r < 0 && is_useless(fd, err))
                (void)unlinkat(downloads_fd, unfinished, 0);
        return r;
}

int su_download_fetch(int state_fd, struct su_fetch *fetch, const struct su_object *object,
                      int *ret_fd, struct su_error *err)
{
        su_auto_close int downloads_fd = -EBADF;
        su_auto_close int fd = -EBADF;
        char name[SU_SHA256_HEX_SIZE];
        struct su_error why = {0};
        int r;

        r = open_downloads(state_fd, &downloads_fd, err);
        if (r < 0)
                return r;
        object_name(object, name);
        fd = openat(downloads_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || check_object(fd, name, object, NULL) < 0) {
                su_close_fd(&fd);
                r = download(downloads_fd, fetch, object, name, &why);
                if (r < 0) {
                        if (err)
                                *err = why;
                        return r;
                }
                fd = openat(downloads_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        }
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open download '%s'", name);
        *ret_fd = su_take_fd(&fd);
        return 0;
}

int su_download_forget(int state_fd, const struct su_object *object, struct su_error *err)
{
        su_auto_close int downloads_fd = -EBADF;
        char name[SU_SHA256_HEX_SIZE];
        char unfinished[UNFINISHED_NAME_SIZE];
        int r;

        r = open_downloads(state_fd, &downloads_fd, err);
        if (r < 0)
                return r;
        object_name(object, name);
        unfinished_name(name, unfinished);
        (void)unlinkat(downloads_fd, name, 0);
        (void)unlinkat(downloads_fd, unfinished, 0);
        return 0;
}
