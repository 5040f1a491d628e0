#include "base/dropins.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define DROPIN_SIZE_MAX (64 * 1024)

static const char *const directories[] = {"/usr/lib/suture", "/run/suture", "/etc/suture"};

/* The names of all drop-ins, each once. */
struct names {
        char **names;
        size_t n;
};

static void names_done(struct names *names)
{
        for (size_t i = 0; i < names->n; i++)
                free(names->names[i]);
        free(names->names);
}

static int add_name(struct names *names, const char *name, struct su_error *err)
{
        char **larger;
        int r;

        for (size_t i = 0; i < names->n; i++)
                if (strcmp(names->names[i], name) == 0)
                        return 0;
        larger = reallocarray(names->names, names->n + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        names->names = larger;
        r = su_strdup(name, &larger[names->n], err);
        if (r >= 0)
                names->n++;
        return r;
}

static int list(int root_fd, const char *path, struct names *names, struct su_error *err)
{
        su_auto_closedir DIR *dir = NULL;
        struct dirent *entry;
        int fd;
        int r;

        r = su_open_in_root(root_fd, path, O_RDONLY | O_DIRECTORY, &fd, err);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        dir = fdopendir(fd);
        if (!dir) {
                (void)close(fd);
                return su_fail_errno(err, errno, "cannot list '%s'", path);
        }
        while ((entry = readdir(dir))) {
                if (entry->d_name[0] == '.' || !su_ends_with(entry->d_name, ".conf"))
                        continue;
                r = add_name(names, entry->d_name, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int list_all(int root_fd, const char *kind, struct names *names, struct su_error *err)
{
        int r = 0;

        for (size_t i = 0; i < SU_ELEMENTS(directories) && r >= 0; i++) {
                su_auto_free char *path = NULL;

                r = su_format(&path, err, "%s/%s", directories[i], kind);
                if (r >= 0)
                        r = list(root_fd, path, names, err);
        }
        return r;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

int su_dropins_read_main(int root_fd, const char *name, su_dropin_visit visit, void *userdata,
                         struct su_error *err)
{
        for (size_t i = SU_ELEMENTS(directories); i-- > 0;) {
                su_auto_close int fd = -EBADF;
                su_auto_free char *path = NULL;
                su_auto_free char *text = NULL;
                int r;

                r = su_format(&path, err, "%s/%s", directories[i], name);
                if (r >= 0)
                        r = su_open_in_root(root_fd, path, O_RDONLY, &fd, err);
                if (r == -ENOENT)
                        continue;
                if (r >= 0)
                        r = su_file_read_fd(fd, path, DROPIN_SIZE_MAX, &text, NULL, err);
                return r < 0 ? r : visit(userdata, path, text, err);
        }
        return 0;
}

static int read_one(int root_fd, const char *kind, const char *name, su_dropin_visit visit,
                    void *userdata, struct su_error *err)
{
        su_auto_free char *path = NULL;
        int r;

        r = su_format(&path, err, "%s/%s", kind, name);
        return r < 0 ? r : su_dropins_read_main(root_fd, path, visit, userdata, err);
}

int su_dropins_read(int root_fd, const char *kind, su_dropin_visit visit, void *userdata,
                    struct su_error *err)
{
        su_auto(names_done) struct names names = {0};
        int r;

        r = list_all(root_fd, kind, &names, err);
        if (names.n > 0)
                qsort(names.names, names.n, sizeof *names.names, compare_names);
        for (size_t i = 0; i < names.n && r >= 0; i++)
                r = read_one(root_fd, kind, names.names[i], visit, userdata, err);
        return r;
}
