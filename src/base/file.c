#include "base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "base/text.h"

int su_dir_open(const char *path, int *ret_fd, struct su_error *err)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open directory '%s'", path);
        *ret_fd = fd;
        return 0;
}

/* While anything is renamed anywhere, the kernel may not be sure that ".." stayed inside, and wants
 * to be asked again: openat2(2), EAGAIN. */
#define OPEN_TRIES 1000

int su_open_in_root(int root_fd, const char *path, int flags, int *ret_fd, struct su_error *err)
{
        struct open_how how = {
                .flags = (uint64_t)flags | O_CLOEXEC,
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };
        long fd;
        int tries = 0;

        do
                fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how);
        while (fd < 0 && errno == EAGAIN && ++tries < OPEN_TRIES);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", path);
        *ret_fd = (int)fd;
        return 0;
}

/* Links are followed inside `dir_fd` only, as everywhere in an OS tree. */
static int make_and_enter(int dir_fd, int parent_fd, const char *part, const char *path,
                          mode_t mode, int *ret_fd, struct su_error *err)
{
        if (mkdirat(parent_fd, part, mode) < 0 && errno != EEXIST)
                return su_fail_errno(err, errno, "cannot make directory '%s'", path);
        return su_open_in_root(dir_fd, path, O_RDONLY | O_DIRECTORY, ret_fd, err);
}

int su_dir_make(int dir_fd, const char *path, mode_t mode, int *ret_fd, struct su_error *err)
{
        su_auto_free char *copy = NULL;
        su_auto_close int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r;

        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open the parent of '%s'", path);
        r = su_strdup(path, &copy, err);
        for (char *part = copy; r >= 0 && part;) {
                char *slash = strchr(part, '/');
                int next = -EBADF;

                if (slash)
                        *slash = '\0';
                if (*part != '\0') {
                        r = make_and_enter(dir_fd, fd, part, copy, mode, &next, err);
                        if (r < 0)
                                return su_fail_prefix(err, r, "'%s'", path);
                        su_close_fd(&fd);
                        fd = next;
                }
                if (slash)
                        *slash = '/';
                part = slash ? slash + 1 : NULL;
        }
        if (r < 0)
                return r;
        *ret_fd = su_take_fd(&fd);
        return 0;
}

int su_file_read_fd(int fd, const char *name, size_t max, char **ret_data, size_t *ret_size,
                    struct su_error *err)
{
        su_auto_free char *data = NULL;
        size_t size = 0;
        size_t capacity = 0;

        for (;;) {
                ssize_t n;

                if (size + 1 >= capacity) {
                        size_t larger = capacity ? capacity * 2 : 4096;
                        char *moved = realloc(data, larger);

                        if (!moved)
                                return su_fail_oom(err);
                        data = moved;
                        capacity = larger;
                }
                n = read(fd, data + size, capacity - size - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return su_fail_errno(err, errno, "cannot read '%s'", name);
                if (n == 0)
                        break;
                size += (size_t)n;
                if (size > max)
                        return su_fail(err, SU_ERROR_TOO_LARGE, "'%s' is larger than %zu bytes",
                                       name, max);
        }
        data[size] = '\0';
        *ret_data = su_take(data);
        if (ret_size)
                *ret_size = size;
        return 0;
}

int su_file_read(int dir_fd, const char *name, size_t max, char **ret_data, size_t *ret_size,
                 struct su_error *err)
{
        su_auto_close int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", name);
        return su_file_read_fd(fd, name, max, ret_data, ret_size, err);
}

int su_write_all(int fd, const void *data, size_t size, const char *name, struct su_error *err)
{
        const char *bytes = data;

        while (size > 0) {
                ssize_t n = write(fd, bytes, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return su_fail_errno(err, errno, "cannot write '%s'", name);
                bytes += n;
                size -= (size_t)n;
        }
        return 0;
}

int su_read_at(int fd, void *data, size_t size, uint64_t offset, const char *name, size_t *ret_size,
               struct su_error *err)
{
        char *bytes = data;
        size_t done = 0;

        while (done < size) {
                ssize_t n = pread(fd, bytes + done, size - done, (off_t)(offset + done));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return su_fail_errno(err, errno, "cannot read '%s'", name);
                if (n == 0)
                        break;
                done += (size_t)n;
        }
        *ret_size = done;
        return 0;
}

int su_read_exact_at(int fd, void *data, size_t size, uint64_t offset, const char *name,
                     struct su_error *err)
{
        size_t done = 0;
        int r;

        r = su_read_at(fd, data, size, offset, name, &done, err);
        if (r >= 0 && done < size)
                r = su_fail(err, SU_ERROR_TRUNCATED, "'%s' ends too early", name);
        return r;
}

int su_copy_all(int from_fd, int to_fd, const char *name, struct su_error *err)
{
        char buffer[64 * 1024];
        uint64_t offset = 0;

        for (;;) {
                ssize_t n = pread(from_fd, buffer, sizeof buffer, (off_t)offset);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return su_fail_errno(err, errno, "cannot read '%s'", name);
                if (n == 0)
                        return 0;
                r = su_write_all(to_fd, buffer, (size_t)n, name, err);
                if (r < 0)
                        return r;
                offset += (uint64_t)n;
        }
}

int su_sync_parent(int dir_fd, const char *name, struct su_error *err)
{
        const char *slash = strrchr(name, '/');
        su_auto_free char *parent = NULL;
        su_auto_close int fd = -EBADF;
        int r;

        r = slash ? su_format(&parent, err, "%.*s", (int)(slash + 1 - name), name)
                  : su_strdup(".", &parent, err);
        if (r < 0)
                return r;
        fd = openat(dir_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) < 0)
                return su_fail_errno(err, errno, "cannot sync the directory of '%s'", name);
        return 0;
}

int su_file_publish(int dir_fd, int fd, const char *temporary, const char *name,
                    struct su_error *err)
{
        if (fsync(fd) < 0)
                return su_fail_errno(err, errno, "cannot sync '%s'", name);
        if (renameat(dir_fd, temporary, dir_fd, name) < 0)
                return su_fail_errno(err, errno, "cannot rename '%s' to '%s'", temporary, name);
        return su_sync_parent(dir_fd, name, err);
}

/* Which directory it is that a descriptor stands for; said with an error, when it can be found. */
static int fail_in_directory(struct su_error *err, int r, int dir_fd)
{
        char link[sizeof "/proc/self/fd/" + 3 * sizeof dir_fd];
        char path[PATH_MAX];
        ssize_t size;

        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", dir_fd);
        size = dir_fd < 0 ? -1 : readlink(link, path, sizeof path - 1);
        if (size < 0)
                return r;
        path[size] = '\0';
        return su_fail_prefix(err, r, "in %s", path);
}

static int write_and_publish(int dir_fd, const char *name, const void *data, size_t size,
                             mode_t mode, struct su_error *err)
{
        su_auto_free char *temporary = NULL;
        su_auto_close int fd = -EBADF;
        int r;

        r = su_format(&temporary, err, "%s.tmp", name);
        if (r < 0)
                return r;
        /* Writers of one directory hold its lock; a leftover is from a run that was cut off. */
        if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
                return su_fail_errno(err, errno, "cannot replace '%s'", temporary);
        fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot create '%s'", temporary);
        r = su_write_all(fd, data, size, name, err);
        if (r >= 0)
                r = su_file_publish(dir_fd, fd, temporary, name, err);
        if (r < 0)
                (void)unlinkat(dir_fd, temporary, 0);
        return r;
}

int su_file_write(int dir_fd, const char *name, const void *data, size_t size, mode_t mode,
                  struct su_error *err)
{
        int r = write_and_publish(dir_fd, name, data, size, mode, err);

        return r < 0 ? fail_in_directory(err, r, dir_fd) : 0;
}

static int remove_contents(int fd, dev_t device, const char *name, struct su_error *err)
{
        su_auto_closedir DIR *dir = fdopendir(fd);
        struct dirent *entry;

        if (!dir) {
                su_close_fd(&fd);
                return su_fail_errno(err, errno, "cannot list '%s'", name);
        }
        while ((entry = readdir(dir))) {
                struct stat st;
                int r;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return su_fail_errno(err, errno, "cannot look at '%s'", entry->d_name);
                if (st.st_dev != device)
                        return su_fail(err, SU_ERROR_CONFLICT, "'%s' is another file system",
                                       entry->d_name);
                r = su_remove_tree(dirfd(dir), entry->d_name, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int su_remove_tree(int dir_fd, const char *name, struct su_error *err)
{
        struct stat st;
        int fd;
        int r;

        if (unlinkat(dir_fd, name, 0) >= 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR && errno != EPERM)
                return su_fail_errno(err, errno, "cannot remove '%s'", name);
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", name);
        if (fstat(fd, &st) < 0) {
                r = su_fail_errno(err, errno, "cannot look at '%s'", name);
                su_close_fd(&fd);
                return r;
        }
        r = remove_contents(fd, st.st_dev, name, err); /* closes fd */
        if (r < 0)
                return r;
        if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0)
                return su_fail_errno(err, errno, "cannot remove directory '%s'", name);
        return 0;
}

int su_free_space(int fd, uint64_t *ret_bytes, struct su_error *err)
{
        struct statvfs vfs;

        if (fstatvfs(fd, &vfs) < 0)
                return su_fail_errno(err, errno, "cannot ask for the free space");
        *ret_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
        return 0;
}
