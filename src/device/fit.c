#include "device/fit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

static const char *const fit_names[] = {
        [SU_FIT_APPLIES] = "applies",
        [SU_FIT_FIXED] = "fixed",
        [SU_FIT_MISSING] = "missing",
        [SU_FIT_SUPERSEDED] = "superseded",
};

const char *su_fit_name(enum su_fit fit)
{
        return fit_names[fit];
}

bool su_fit_parse(const char *name, enum su_fit *ret)
{
        for (size_t i = 0; i < SU_ELEMENTS(fit_names); i++)
                if (strcmp(fit_names[i], name) == 0) {
                        *ret = (enum su_fit)i;
                        return true;
                }
        return false;
}

int su_base_open_file(int base_fd, const char *path, int *ret_fd, struct su_error *err)
{
        return su_open_in_root(base_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, ret_fd, err);
}

static int check_new_file(int base_fd, const char *path, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        r = su_base_open_file(base_fd, path, &fd, err);
        if (r == -ENOENT)
                return 0;
        if (r < 0 && r != -ELOOP)
                return r;
        return su_fail(err, SU_ERROR_BASELINE,
                       "'%s' is on this system, but not in the baseline the improvement is for",
                       path);
}

/* Opens only what is still a regular file; anything else is not the baseline's. */
static int open_unchanged_kind(int base_fd, const char *path, int *ret_fd, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        struct stat st;
        int r;

        r = su_base_open_file(base_fd, path, &fd, err);
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_BASELINE,
                               "'%s' is missing on this system; the improvement is for a baseline "
                               "that has it",
                               path);
        if (r < 0 && r != -ELOOP)
                return r;
        if (r >= 0 && fstat(fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", path);
        if (r < 0 || !S_ISREG(st.st_mode))
                return su_fail(err, SU_ERROR_BASELINE,
                               "'%s' is %s on this system; the improvement is for a baseline that "
                               "has a file there",
                               path, r < 0 ? "a link" : "no regular file");
        *ret_fd = su_take_fd(&fd);
        return 0;
}

static int check_file(int base_fd, const struct su_changed_file *file, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        struct su_sha256 digest;
        uint64_t size;
        int r;

        if (file->is_new)
                return check_new_file(base_fd, file->path, err);
        r = open_unchanged_kind(base_fd, file->path, &fd, err);
        if (r >= 0)
                r = su_sha256_of_fd(fd, file->path, &digest, &size, err);
        if (r < 0)
                return r;
        if (size != file->before.size || !su_sha256_equal(&digest, &file->before.sha256))
                return su_fail(err, SU_ERROR_BASELINE,
                               "'%s' on this system is not the file of the baseline that the "
                               "improvement is for",
                               file->path);
        return 0;
}

static int check_files(int base_fd, const struct su_component *component, struct su_error *err)
{
        for (size_t i = 0; i < component->n_files; i++) {
                int r = check_file(base_fd, &component->files[i], err);

                if (r < 0)
                        return su_fail_prefix(err, r, "component '%s'", component->name);
        }
        return 0;
}

static bool is_fixed_file(int base_fd, const struct su_changed_file *file)
{
        su_auto_close int fd = -EBADF;
        struct su_sha256 digest;
        uint64_t size;

        return su_base_open_file(base_fd, file->path, &fd, NULL) >= 0 &&
               su_sha256_of_fd(fd, file->path, &digest, &size, NULL) >= 0 &&
               size == file->after.size && su_sha256_equal(&digest, &file->after.sha256);
}

static bool is_fixed_base(int base_fd, const struct su_component *component)
{
        for (size_t i = 0; i < component->n_files; i++)
                if (!is_fixed_file(base_fd, &component->files[i]))
                        return false;
        return true;
}

/* "installed VERSION", a line for each architecture that a package is installed for; the same
 * version for all of them (deb-control(5), Multi-Arch). */
static char *first_installed(char *lines)
{
        static const char prefix[] = "installed ";
        char *state = NULL;

        for (char *line = strtok_r(lines, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
                if (su_starts_with(line, prefix) && line[strlen(prefix)] != '\0')
                        return line + strlen(prefix);
        return NULL;
}

/* Debian's package manager: the version that a tree has of a package. -ENOENT: none. */
static int installed_version(const char *root, const char *package, char **ret,
                             struct su_error *err)
{
        su_auto_free char *option = NULL;
        su_auto_free char *lines = NULL;
        const char *version;
        int r;

        r = su_format(&option, err, "--admindir=%s/var/lib/dpkg",
                      strcmp(root, "/") == 0 ? "" : root);
        if (r < 0)
                return r;
        const char *const argv[] = {
                "dpkg-query", option, "-W", "-f", "${db:Status-Status} ${Version}\n",
                package,      NULL};
        if (su_process_run(argv, &lines, NULL, NULL) < 0)
                return -ENOENT;
        version = first_installed(lines);
        return version ? su_strdup(version, ret, err) : -ENOENT;
}

static bool is_at_least(const char *version, const char *other)
{
        const char *const argv[] = {"dpkg", "--compare-versions", version, "ge", other, NULL};

        return su_process_run(argv, NULL, NULL, NULL) >= 0;
}

struct packages {
        bool another; /* some package is not at the version that the improvement is for */
        bool newest;  /* all are at the fix's version, or after it */
};

static int ask_packages(const char *root, const struct su_component *component,
                        struct packages *ret, struct su_error *err)
{
        *ret = (struct packages){.newest = component->n_packages > 0};
        for (size_t i = 0; i < component->n_packages; i++) {
                su_auto_free char *version = NULL;
                int r;

                r = installed_version(root, component->packages[i], &version, err);
                if (r < 0 && r != -ENOENT)
                        return r;
                if (!version || !component->old_version ||
                    strcmp(version, component->old_version) != 0)
                        ret->another = true;
                if (!version || !is_at_least(version, component->new_version))
                        ret->newest = false;
        }
        return 0;
}

int su_fit_find(const char *root, int base_fd, const struct su_component *component,
                struct su_fit_report *ret, struct su_error *err)
{
        struct su_fit_report report = {.fit = SU_FIT_APPLIES};
        struct packages packages;
        int r;

        r = check_files(base_fd, component, &report.why);
        if (r < 0 && report.why.code != SU_ERROR_BASELINE) {
                if (err)
                        *err = report.why;
                return r;
        }
        if (r < 0) {
                r = ask_packages(root, component, &packages, err);
                if (r < 0)
                        return r;
                report.by_package = packages.another;
                report.fit = packages.newest || is_fixed_base(base_fd, component)
                                     ? SU_FIT_FIXED
                                     : SU_FIT_SUPERSEDED;
        }
        *ret = report;
        return 0;
}
