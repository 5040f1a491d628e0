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

/* The file has no name in the directory until all of it is there and checked. */
static int publish(int dir_fd, int fd, const char *name, struct su_error *err)
{
        char link[sizeof "/proc/self/fd/" + 3 * sizeof fd];
        su_auto_free char *temporary = NULL;
        int r;

        r = su_format(&temporary, err, ".%s.new", name);
        if (r < 0)
                return r;
        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
                return su_fail_errno(err, errno, "cannot replace '%s'", temporary);
        if (linkat(AT_FDCWD, link, dir_fd, temporary, AT_SYMLINK_FOLLOW) < 0)
                return su_fail_errno(err, errno, "cannot create '%s'", temporary);
        r = su_file_publish(dir_fd, fd, temporary, name, err);
        if (r < 0)
                (void)unlinkat(dir_fd, temporary, 0);
        return r;
}

int su_tuf_download(struct su_trust *trust, const char *path, int target_fd, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;
        struct su_target target;
        int r;

        r = su_trust_find(trust, path, &target, err);
        if (r >= 0)
                r = su_percent_encode(path, "", &name, err);
        if (r < 0)
                return r;
        if (name[0] == '\0' || name[0] == '.')
                return su_fail(err, SU_ERROR_UNSUPPORTED, "'%s' is no name for a file", path);
        if (is_here(target_fd, name, &target))
                return 0;
        fd = openat(target_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot create a file for '%s'", path);
        r = su_trust_get_to_fd(trust, path, &target, fd, err);
        return r < 0 ? r : publish(target_fd, fd, name, err);
}
