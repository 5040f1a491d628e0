#include "publish/draft/content.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "inventory/tree.h"
#include "publish/draft/attributes.h"

struct stage {
        const struct su_baseline *baseline;
        int tree_fd;
        int staging_fd;
        struct su_component *component;
        struct su_content_counts counts;
        const struct su_content_source *source;
};

static bool is_of_component(const struct su_content_source *source, const char *path)
{
        for (size_t i = 0; i < source->n_only; i++)
                if (fnmatch(source->only[i], path, 0) == 0)
                        return true;
        return source->n_only == 0;
}

/* Nothing maps or runs these, debuggers apart; leaving them out keeps images and deltas small. */
static bool is_documentation(const char *path)
{
        static const char *const prefixes[] = {
                "/usr/share/doc/",     "/usr/share/man/", "/usr/share/info/",
                "/usr/share/lintian/", "/usr/lib/debug/",
        };

        for (size_t i = 0; i < SU_ELEMENTS(prefixes); i++)
                if (su_starts_with(path, prefixes[i]))
                        return true;
        return false;
}

/* A directory of an image shapes the merged view: it has the mode, the owner and the attributes of
 * the baseline's. */
static int stage_directory(struct stage *stage, const char *path, struct su_error *err)
{
        su_auto_close int from_fd = -EBADF;
        su_auto_close int fd = -EBADF;
        struct stat st = {.st_mode = S_IFDIR | 0755};

        if (mkdirat(stage->staging_fd, path, 0755) < 0)
                return errno == EEXIST
                               ? 0
                               : su_fail_errno(err, errno, "cannot make '/%s' for the image", path);
        fd = openat(stage->staging_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open '/%s' of the image", path);
        from_fd = openat(stage->tree_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (from_fd < 0 && errno == ENOTDIR)
                return su_fail(err, SU_ERROR_CONFLICT, "'/%s' is no directory in the baseline",
                               path);
        if (from_fd < 0 && errno != ENOENT)
                return su_fail_errno(err, errno, "cannot open the baseline's '/%s'", path);
        if (from_fd >= 0 && fstat(from_fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at the baseline's '/%s'", path);
        if (fchmod(fd, st.st_mode & 07777) < 0)
                return su_fail_errno(err, errno, "cannot set the mode of '/%s'", path);
        return from_fd < 0 ? 0 : su_attributes_copy(from_fd, fd, path, &stage->counts.special, err);
}

static int stage_parents(struct stage *stage, const char *path, struct su_error *err)
{
        su_auto_free char *copy = NULL;
        int r;

        r = su_strdup(path + 1, &copy, err);
        for (char *slash = r < 0 ? NULL : strchr(copy, '/'); slash && r >= 0;
             slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                r = stage_directory(stage, copy, err);
                *slash = '/';
        }
        return r;
}

static int append_file(struct stage *stage, const char *path, const struct su_baseline_file *before,
                       const struct su_file_facts *after, struct su_error *err)
{
        struct su_component *component = stage->component;
        struct su_changed_file *larger =
                reallocarray(component->files, component->n_files + 1, sizeof *component->files);
        struct su_changed_file *file;
        int r;

        if (!larger)
                return su_fail_oom(err);
        component->files = larger;
        file = &component->files[component->n_files];
        *file = (struct su_changed_file){.is_new = !before, .is_gone = !after};
        if (before)
                file->before = before->facts;
        if (after)
                file->after = *after;
        r = su_strdup(path, &file->path, err);
        if (r >= 0)
                component->n_files++;
        return r;
}

/* For whoever compares; the image has one time for all. */
static int copy_time(int from_fd, int to_fd, const char *path, struct su_error *err)
{
        struct stat st;

        if (fstat(from_fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", path);
        const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, st.st_mtim};
        if (futimens(to_fd, times) < 0)
                return su_fail_errno(err, errno, "cannot set the time of '%s'", path);
        return 0;
}

/* Owner and attributes are those of the baseline's file, where there is one; so is the mode of a
 * file that comes in a package, for what an administrator or a package's script set stays. */
static int copy_to_stage(struct stage *stage, int fd, const char *path, mode_t mode,
                         struct su_error *err)
{
        su_auto_close int out_fd = -EBADF;
        su_auto_close int before_fd = -EBADF;
        struct stat st;
        int r;

        r = stage_parents(stage, path, err);
        if (r < 0)
                return r;
        out_fd = openat(stage->staging_fd, path + 1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (out_fd < 0)
                return su_fail_errno(err, errno, "cannot create '%s' for the image", path);
        r = su_copy_all(fd, out_fd, path, err);
        if (r < 0)
                return r;
        before_fd = openat(stage->tree_fd, path + 1, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (before_fd < 0 && errno != ENOENT)
                return su_fail_errno(err, errno, "cannot open the baseline's '%s'", path);
        r = su_attributes_copy(before_fd >= 0 ? before_fd : fd, out_fd, path,
                               &stage->counts.special, err);
        if (r < 0)
                return r;
        r = copy_time(fd, out_fd, path, err);
        if (r < 0)
                return r;
        if (before_fd >= 0 && stage->source->from_packages) {
                if (fstat(before_fd, &st) < 0)
                        return su_fail_errno(err, errno, "cannot look at the baseline's '%s'",
                                             path);
                mode = st.st_mode & 07777;
        }
        /* After the owner: a change of owner takes setuid away. */
        if (fchmod(out_fd, mode) < 0)
                return su_fail_errno(err, errno, "cannot set the mode of '%s'", path);
        return 0;
}

static const char *kind_of(mode_t mode)
{
        return S_ISDIR(mode) ? "a directory" : S_ISREG(mode) ? "a file" : "a link";
}

/* A layer can hide what is below it, but not mend it: a file in the place of a directory would take
 * all of the directory's files away, one in the place of a link whatever was reached through it. */
static int check_kind(const struct stage *stage, const struct su_tree_entry *entry,
                      struct su_error *err)
{
        const mode_t now = entry->st.st_mode & S_IFMT;
        struct stat st;

        if (fstatat(stage->tree_fd, entry->path + 1, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            (st.st_mode & S_IFMT) == now)
                return 0;
        return su_fail(err, SU_ERROR_CONFLICT, "'%s' is %s in the baseline, and %s in the fix",
                       entry->path, kind_of(st.st_mode), kind_of(now));
}

static int stage_file(struct stage *stage, const struct su_tree_entry *entry, struct su_error *err)
{
        const struct su_baseline_file *before = su_baseline_find(stage->baseline, entry->path);
        su_auto_close int fd = -EBADF;
        struct su_file_facts after;
        int r;

        fd = openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", entry->path);
        r = su_file_facts_read(fd, entry->path, &after, err);
        if (r < 0)
                return r;
        if (before && before->facts.size == after.size &&
            su_sha256_equal(&before->facts.sha256, &after.sha256)) {
                stage->counts.unchanged++;
                return 0;
        }
        r = copy_to_stage(stage, fd, entry->path, entry->st.st_mode & 07777, err);
        if (r >= 0)
                r = append_file(stage, entry->path, before, &after, err);
        if (r < 0)
                return r;
        if (before)
                stage->counts.changed++;
        else
                stage->counts.added++;
        return 0;
}

static int read_link(int dir_fd, const char *name, char ret[PATH_MAX])
{
        ssize_t n = readlinkat(dir_fd, name, ret, PATH_MAX - 1);

        if (n < 0)
                return -errno;
        ret[n] = '\0';
        return 0;
}

static bool is_listed(const struct su_component *component, const char *path)
{
        for (size_t i = 0; i < component->n_files; i++)
                if (strcmp(component->files[i].path, path) == 0)
                        return true;
        return false;
}

/* Whether the link of a library, libx.so.4, leads to one of its versions, libx.so.4.16. */
static bool is_version_of(const char *name, const char *target)
{
        size_t n = strlen(name);

        return strncmp(target, name, n) == 0 && target[n] == '.' && !strchr(target, '/');
}

/* A library's new version mostly has a file name of its own, and the link changes. Programs that
 * run have the former file mapped: it must be known as old, and the delta is made from it. */
static int retire_library(struct stage *stage, const struct su_tree_entry *entry,
                          const char *former, const char *target, struct su_error *err)
{
        const struct su_baseline_file *before;
        su_auto_free char *path = NULL;
        int r;

        if (!strstr(entry->name, ".so") || !is_version_of(entry->name, former) ||
            !is_version_of(entry->name, target) ||
            faccessat(entry->dir_fd, former, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return 0;
        r = su_format(&path, err, "%.*s%s", (int)(strlen(entry->path) - strlen(entry->name)),
                      entry->path, former);
        if (r < 0)
                return r;
        before = su_baseline_find(stage->baseline, path);
        if (!before || is_listed(stage->component, path))
                return 0;
        stage->counts.gone++;
        return append_file(stage, path, before, NULL, err);
}

static int stage_link(struct stage *stage, const struct su_tree_entry *entry, struct su_error *err)
{
        char target[PATH_MAX];
        char before[PATH_MAX];
        int r;

        r = read_link(entry->dir_fd, entry->name, target);
        if (r < 0)
                return su_fail_errno(err, r, "cannot read link '%s'", entry->path);
        if (read_link(stage->tree_fd, entry->path + 1, before) < 0)
                before[0] = '\0';
        if (strcmp(target, before) == 0) {
                stage->counts.unchanged++;
                return 0;
        }
        r = retire_library(stage, entry, before, target, err);
        if (r >= 0)
                r = stage_parents(stage, entry->path, err);
        if (r < 0)
                return r;
        if (symlinkat(target, stage->staging_fd, entry->path + 1) < 0)
                return su_fail_errno(err, errno, "cannot create link '%s'", entry->path);
        stage->counts.links++;
        return 0;
}

static int stage_entry(void *userdata, const struct su_tree_entry *entry, struct su_error *err)
{
        struct stage *stage = userdata;
        int r;

        if (S_ISDIR(entry->st.st_mode))
                return 0;
        if (is_documentation(entry->path)) {
                stage->counts.documentation++;
                return 0;
        }
        if (!is_of_component(stage->source, entry->path)) {
                stage->counts.others++;
                return 0;
        }
        if (!su_path_is_normal(entry->path))
                return su_fail(err, SU_ERROR_CONFLICT, "a file's name is not usable: '%s'",
                               entry->path);
        if (!S_ISREG(entry->st.st_mode) && !S_ISLNK(entry->st.st_mode))
                return su_fail(err, SU_ERROR_CONFLICT,
                               "'%s' is neither a file, a directory nor a link", entry->path);
        r = check_kind(stage, entry, err);
        if (r < 0)
                return r;
        return S_ISREG(entry->st.st_mode) ? stage_file(stage, entry, err)
                                          : stage_link(stage, entry, err);
}

static int count_outside(void *userdata, const struct su_tree_entry *entry, struct su_error *err)
{
        struct stage *stage = userdata;

        (void)err;
        if (!S_ISDIR(entry->st.st_mode))
                stage->counts.outside++;
        return 0;
}

/* Packages of a merged-/usr system may still name /lib and the like: they land below /usr. */
static int stage_all(struct stage *stage, int fixed_fd, struct su_error *err)
{
        static const char *const merged[] = {"usr",   "bin",   "sbin",  "lib",
                                             "lib32", "lib64", "libx32"};
        static const char *const outside[] = {"etc", "var", "srv", "boot"};
        int r = 0;

        for (size_t i = 0; i < SU_ELEMENTS(merged) && r >= 0; i++) {
                su_auto_free char *shown_as = NULL;

                r = su_format(&shown_as, err, "/usr%s%s", i > 0 ? "/" : "", i > 0 ? merged[i] : "");
                if (r >= 0)
                        r = su_tree_walk(fixed_fd, merged[i], shown_as, SU_TREE_ALL, stage_entry,
                                         stage, err);
        }
        if (r >= 0)
                r = su_tree_walk(fixed_fd, "opt", "/opt", SU_TREE_ALL, stage_entry, stage, err);
        for (size_t i = 0; i < SU_ELEMENTS(outside) && r >= 0; i++)
                r = su_tree_walk(fixed_fd, outside[i], "", SU_TREE_ALL, count_outside, stage, err);
        return r;
}

int su_content_stage(const struct su_baseline *baseline, const struct su_content_source *source,
                     int staging_fd, struct su_component *component,
                     struct su_content_counts *ret_counts, struct su_error *err)
{
        struct stage stage = {
                .source = source,
                .baseline = baseline,
                .tree_fd = source->tree_fd,
                .staging_fd = staging_fd,
                .component = component,
        };
        int r;

        r = stage_all(&stage, source->fixed_fd, err);
        if (r < 0)
                return r;
        if (component->n_files == 0)
                return su_fail(err, SU_ERROR_CONFLICT,
                               "nothing below /usr and /opt differs from the baseline: there is "
                               "nothing to "
                               "build");
        *ret_counts = stage.counts;
        return 0;
}
