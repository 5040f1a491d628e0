#include "inventory/tree.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

struct walk {
        su_tree_visit visit;
        void *userdata;
};

static void free_names(struct dirent ***names)
{
        if (!*names)
                return;
        for (size_t i = 0; (*names)[i]; i++)
                free((*names)[i]);
        free(*names);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_entry(const struct dirent *entry)
{
        return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* All names of a directory, sorted, NULL at the end. */
static int list(int fd, const char *path, struct dirent ***ret, struct su_error *err)
{
        struct dirent **names;
        struct dirent **larger;
        int n = scandirat(fd, ".", &names, is_entry, by_bytes);

        if (n < 0)
                return su_fail_errno(err, errno, "cannot list '%s'", path);
        larger = reallocarray(names, (size_t)n + 1, sizeof *names);
        if (!larger) {
                for (int i = 0; i < n; i++)
                        free(names[i]);
                free(names);
                return su_fail_oom(err);
        }
        larger[n] = NULL;
        *ret = larger;
        return 0;
}

static int walk_directory(const struct walk *walk, int fd, const char *path, struct su_error *err);

static int walk_entry(const struct walk *walk, int dir_fd, const char *directory, const char *name,
                      struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *path = NULL;
        struct su_tree_entry entry = {.dir_fd = dir_fd, .name = name};
        int r;

        r = su_format(&path, err, "%s/%s", directory, name);
        if (r < 0)
                return r;
        entry.path = path;
        if (fstatat(dir_fd, name, &entry.st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : su_fail_errno(err, errno, "cannot look at '%s'", path);
        r = walk->visit(walk->userdata, &entry, err);
        if (r < 0 || !S_ISDIR(entry.st.st_mode) || r == SU_TREE_SKIP)
                return r < 0 ? r : 0;
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : su_fail_errno(err, errno, "cannot open '%s'", path);
        return walk_directory(walk, fd, path, err);
}

static int walk_directory(const struct walk *walk, int fd, const char *path, struct su_error *err)
{
        su_auto(free_names) struct dirent **names = NULL;
        int r;

        r = list(fd, path, &names, err);
        for (size_t i = 0; r >= 0 && names && names[i]; i++)
                r = walk_entry(walk, fd, path, names[i]->d_name, err);
        return r;
}

int su_tree_walk(int root_fd, const char *top, const char *shown_as, su_tree_visit visit,
                 void *userdata, struct su_error *err)
{
        const struct walk walk = {visit, userdata};
        su_auto_close int fd = -EBADF;
        int r;

        r = su_open_in_root(root_fd, top, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, &fd, err);
        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
                return 0;
        return r < 0 ? r : walk_directory(&walk, fd, shown_as, err);
}
