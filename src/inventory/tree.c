#include "inventory/tree.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

/* Each level holds a descriptor. */
#define DEPTH_MAX 128

struct walk {
        enum su_tree_care care;
        unsigned depth;
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

static int walk_directory(struct walk *walk, int fd, const char *path, struct su_error *err);

/* What went away meanwhile is no error; other trouble is one where all is wanted. */
static int pass_over(const struct walk *walk, int errnum, const char *path, struct su_error *err)
{
        if (errnum == ENOENT || walk->care == SU_TREE_READABLE)
                return 0;
        return su_fail_errno(err, errnum, "cannot look into '%s'", path);
}

static int walk_entry(struct walk *walk, int dir_fd, const char *directory, const char *name,
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
                return pass_over(walk, errno, path, err);
        r = walk->visit(walk->userdata, &entry, err);
        if (r < 0 || !S_ISDIR(entry.st.st_mode) || r == SU_TREE_SKIP)
                return r < 0 ? r : 0;
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return pass_over(walk, errno, path, err);
        return walk_directory(walk, fd, path, err);
}

static int walk_directory(struct walk *walk, int fd, const char *path, struct su_error *err)
{
        su_auto(free_names) struct dirent **names = NULL;
        int r;

        if (walk->depth == DEPTH_MAX)
                return pass_over(walk, ELOOP, path, err);
        r = list(fd, path, &names, err);
        if (r < 0)
                return walk->care == SU_TREE_READABLE && r != -ENOMEM ? 0 : r;
        walk->depth++;
        for (size_t i = 0; r >= 0 && names && names[i]; i++)
                r = walk_entry(walk, fd, path, names[i]->d_name, err);
        walk->depth--;
        return r;
}

int su_tree_walk(int root_fd, const char *top, const char *shown_as, enum su_tree_care care,
                 su_tree_visit visit, void *userdata, struct su_error *err)
{
        struct walk walk = {.care = care, .visit = visit, .userdata = userdata};
        su_auto_close int fd = -EBADF;
        int r;

        r = su_open_in_root(root_fd, top, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, &fd, err);
        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
                return 0;
        return r < 0 ? r : walk_directory(&walk, fd, shown_as, err);
}
