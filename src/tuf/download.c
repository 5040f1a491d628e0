#include "tuf/download.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

static bool is_here(int dir_fd, const char *name, const struct su_target *target)
{
        su_auto_close int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
               (uint64_t)st.st_size == target->size &&
               su_hashes_check_fd(&target->hashes, name, fd, NULL) >= 0;
}

/* A leading dot would hide the file, or be a directory's name. */
static int file_name(const char *path, char **ret, struct su_error *err)
{
        su_auto_free char *encoded = NULL;
        int r;

        r = su_percent_encode(path, "", &encoded, err);
        if (r < 0)
                return r;
        if (encoded[0] == '\0')
                return su_fail(err, SU_ERROR_UNSUPPORTED, "a target without a name has no file");
        if (encoded[0] != '.') {
                *ret = su_take(encoded);
                return 0;
        }
        return su_format(ret, err, "%%2E%s", encoded + 1);
}

static int link_to(int fd, int dir_fd, const char *name)
{
        char link[sizeof "/proc/self/fd/" + 3 * sizeof fd];

        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        return linkat(AT_FDCWD, link, dir_fd, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* Through `via_fd` into the place of the file that is there. */
static int replace(int fd, int via_fd, int dir_fd, const char *name, struct su_error *err)
{
        static const char temporary[] = "download.tmp";
        int r;

        if (unlinkat(via_fd, temporary, 0) < 0 && errno != ENOENT)
                return su_fail_errno(err, errno, "cannot replace '%s'", temporary);
        r = link_to(fd, via_fd, temporary);
        if (r >= 0 && renameat(via_fd, temporary, dir_fd, name) < 0)
                r = -errno;
        if (r >= 0)
                return 0;
        (void)unlinkat(via_fd, temporary, 0);
        return r == -EXDEV && via_fd != dir_fd /* on another file system */
                       ? replace(fd, dir_fd, dir_fd, name, err)
                       : su_fail_errno(err, r, "cannot replace '%s'", name);
}

/* The file has no name in the directory until all of it is there and checked. */
static int publish(int fd, int metadata_fd, int dir_fd, const char *name, struct su_error *err)
{
        int r;

        if (fsync(fd) < 0)
                return su_fail_errno(err, errno, "cannot sync '%s'", name);
        r = link_to(fd, dir_fd, name);
        if (r == -EEXIST)
                r = replace(fd, metadata_fd, dir_fd, name, err);
        else if (r < 0)
                r = su_fail_errno(err, r, "cannot create '%s'", name);
        return r < 0 ? r : su_sync_parent(dir_fd, name, err);
}

int su_tuf_download(struct su_trust *trust, const char *path, int metadata_fd, int target_fd,
                    struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;
        struct su_target target;
        int r;

        r = su_trust_find(trust, path, &target, err);
        if (r == 0)
                return su_fail(err, SU_ERROR_NOT_FOUND, "the repository signs no target '%s'",
                               path);
        if (r > 0)
                r = file_name(path, &name, err);
        if (r < 0)
                return r;
        if (is_here(target_fd, name, &target))
                return 0;
        fd = openat(target_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot create a file for '%s'", path);
        r = su_trust_get_to_fd(trust, path, &target, fd, err);
        return r < 0 ? r : publish(fd, metadata_fd, target_fd, name, err);
}
