/* The directory is all ours: a file in it that was not just written, or is not as it would be
 * written, is of a level or a baseline that is no more, or of a run that was killed. */
#include "publish/advisory/site.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/advisory/csaf.h"
#include "publish/advisory/feed.h"
#include "publish/advisory/names.h"
#include "publish/advisory/osv.h"
#include "publish/advisory/page.h"
#include "publish/store/repository.h"

#define PUBLIC "public/" SU_ADVISORIES

struct site {
        const struct su_workspace *workspace;
        struct su_advisory_changes changes;
        char **kept; /* paths of all that belongs there; sorted before anything is removed */
        size_t n_kept;
};

static void site_done(struct site *site)
{
        for (size_t i = 0; i < site->n_kept; i++)
                free(site->kept[i]);
        free(site->kept);
        su_advisory_changes_done(&site->changes);
}

static int keep(struct site *site, const char *path, struct su_error *err)
{
        char **larger = reallocarray(site->kept, site->n_kept + 1, sizeof *larger);
        int r;

        if (!larger)
                return su_fail_oom(err);
        site->kept = larger;
        r = su_strdup(path, &larger[site->n_kept], err);
        if (r >= 0)
                site->n_kept++;
        return r;
}

static int note(struct site *site, const char *path, bool is_removed, struct su_error *err)
{
        struct su_advisory_changes *changes = &site->changes;
        struct su_advisory_change *larger =
                reallocarray(changes->each, changes->n + 1, sizeof *larger);
        int r;

        if (!larger)
                return su_fail_oom(err);
        changes->each = larger;
        larger[changes->n] = (struct su_advisory_change){.is_removed = is_removed};
        r = su_strdup(path, &larger[changes->n].path, err);
        if (r >= 0)
                changes->n++;
        return r;
}

/* Whether the file is just that: a web server's date and entity tag of it are then still right. */
static bool is_written(int dir_fd, const char *name, const char *text, size_t size)
{
        su_auto_free char *present = NULL;
        size_t present_size;

        return su_file_read(dir_fd, name, size, &present, &present_size, NULL) >= 0 &&
               present_size == size && memcmp(present, text, size) == 0;
}

static int put_file(struct site *site, const char *path, const char *text, size_t size,
                    struct su_error *err)
{
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        su_auto_free char *directory = NULL;
        su_auto_close int fd = -EBADF;
        int r;

        r = su_format(&directory, err, PUBLIC "/%.*s", slash ? (int)(slash - path) : 0, path);
        if (r >= 0)
                r = su_dir_make(site->workspace->fd, directory, 0755, &fd, err);
        if (r >= 0)
                r = keep(site, path, err);
        if (r < 0)
                return r;
        if (is_written(fd, name, text, size)) {
                site->changes.n_unchanged++;
                return 0;
        }
        r = su_file_write(fd, name, text, size, 0644, err);
        return r < 0 ? r : note(site, path, false, err);
}

static int put_below(struct site *site, const char *baseline, const char *file, const char *text,
                     size_t size, struct su_error *err)
{
        su_auto_free char *path = NULL;
        int r;

        r = su_format(&path, err, "%s/%s", baseline, file);
        return r < 0 ? r : put_file(site, path, text, size, err);
}

static int put_osv(struct site *site, const struct su_advised *subject,
                   const struct su_advised_level *level, struct su_error *err)
{
        su_auto_free char *file = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_advisory_osv_file(subject, level, &file, err);
        if (r >= 0)
                r = su_advisory_osv(subject, level, &text, &size, err);
        return r < 0 ? r : put_below(site, subject->baseline, file, text, size, err);
}

static int put_csaf(struct site *site, const struct su_advised *subject,
                    const struct su_advised_level *level, struct su_error *err)
{
        su_auto_free char *file = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        if (!su_advisory_has_csaf(level))
                return 0;
        r = su_advisory_csaf_file(subject, level, &file, err);
        if (r >= 0)
                r = su_advisory_csaf(subject, level, &text, &size, err);
        return r < 0 ? r : put_below(site, subject->baseline, file, text, size, err);
}

static int put_page(struct site *site, const struct su_advised *subject, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_advisory_page(subject, &text, &size, err);
        return r < 0 ? r : put_below(site, subject->baseline, "index.html", text, size, err);
}

static int put_feed(struct site *site, const struct su_advised *subject, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_advisory_feed(subject, &text, &size, err);
        return r < 0 ? r : put_below(site, subject->baseline, "feed.atom", text, size, err);
}

/* What a page leads to is there before it. */
static int put_baseline(struct site *site, const struct su_advised *subject, struct su_error *err)
{
        int r = 0;

        for (size_t i = 0; i < subject->n_levels && r >= 0; i++) {
                r = put_osv(site, subject, &subject->levels[i], err);
                if (r >= 0)
                        r = put_csaf(site, subject, &subject->levels[i], err);
        }
        if (r >= 0)
                r = put_page(site, subject, err);
        return r < 0 ? r : put_feed(site, subject, err);
}

static int put_common(struct site *site, const struct su_advisory_config *config,
                      const struct su_advised *subjects, size_t n_subjects, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = put_file(site, "style.css", su_advisory_style, strlen(su_advisory_style), err);
        if (r >= 0)
                r = su_advisory_index(config, subjects, n_subjects, &text, &size, err);
        return r < 0 ? r : put_file(site, "index.html", text, size, err);
}

static int compare_texts(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_kept(const struct site *site, const char *path)
{
        return site->n_kept > 0 &&
               bsearch(&path, site->kept, site->n_kept, sizeof *site->kept, compare_texts) != NULL;
}

static int sweep(struct site *site, const char *below, struct su_error *err);

static int sweep_entry(struct site *site, int dir_fd, const char *below, const char *name,
                       struct su_error *err)
{
        su_auto_free char *path = NULL;
        struct stat st;
        int r;

        r = su_format(&path, err, "%s%s%s", below, below[0] ? "/" : "", name);
        if (r < 0)
                return r;
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : su_fail_errno(err, errno, "cannot look at '%s'", path);
        if (S_ISDIR(st.st_mode)) {
                r = sweep(site, path, err);
                (void)unlinkat(dir_fd, name, AT_REMOVEDIR); /* if it is empty by now */
                return r;
        }
        if (is_kept(site, path))
                return 0;
        if (unlinkat(dir_fd, name, 0) < 0)
                return su_fail_errno(err, errno, "cannot remove '%s'", path);
        return note(site, path, true, err);
}

static int sweep(struct site *site, const char *below, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_closedir DIR *dir = NULL;
        const struct dirent *entry;
        int fd;
        int r;

        r = su_format(&path, err, PUBLIC "/%s", below);
        if (r < 0)
                return r;
        fd = openat(site->workspace->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        dir = fd >= 0 ? fdopendir(fd) : NULL;
        if (!dir)
                return su_fail_errno(err, errno, "cannot list '%s'", path);
        while (r >= 0 && (entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        r = sweep_entry(site, fd, below, entry->d_name, err);
        return r;
}

struct subjects {
        struct su_advised *each;
        size_t n;
};

static void subjects_done(struct subjects *subjects)
{
        for (size_t i = 0; i < subjects->n; i++)
                su_advised_done(&subjects->each[i]);
        free(subjects->each);
}

/* All baselines with a level, in the order of the targets metadata. */
static int load(const struct su_workspace *workspace, const struct su_advisory_config *config,
                struct subjects *subjects, struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        su_auto_metadata struct su_metadata targets = {0};
        int r;

        r = su_repository_metadata(workspace, SU_PUBLISHED, "targets", &targets, err);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = su_delegations_read(&targets, &delegations, err);
        if (r < 0)
                return r;
        subjects->each = calloc(delegations.n_roles + 1, sizeof *subjects->each);
        if (!subjects->each)
                return su_fail_oom(err);
        for (size_t i = 0; i < delegations.n_roles; i++) {
                r = su_advised_load(workspace, config, delegations.roles[i].name,
                                    &subjects->each[subjects->n], err);
                if (r < 0 && r != -ENOENT)
                        return r;
                subjects->n += r >= 0;
        }
        return 0;
}

int su_advisories_write(const struct su_workspace *workspace, struct su_advisory_changes *ret,
                        struct su_error *err)
{
        su_auto_advisory_config struct su_advisory_config config = {0};
        su_auto(subjects_done) struct subjects subjects = {0};
        su_auto(site_done) struct site site = {.workspace = workspace};
        int r;

        r = su_advisory_config_read(workspace, &config, err);
        if (r >= 0)
                r = load(workspace, &config, &subjects, err);
        for (size_t i = 0; i < subjects.n && r >= 0; i++)
                r = put_baseline(&site, &subjects.each[i], err);
        if (r >= 0)
                r = put_common(&site, &config, subjects.each, subjects.n, err);
        if (r < 0)
                return r;
        qsort(site.kept, site.n_kept, sizeof *site.kept, compare_texts);
        r = sweep(&site, "", err);
        if (r < 0)
                return r;
        *ret = site.changes;
        site.changes = (struct su_advisory_changes){0};
        return 0;
}

void su_advisory_changes_done(struct su_advisory_changes *changes)
{
        for (size_t i = 0; i < changes->n; i++)
                free(changes->each[i].path);
        free(changes->each);
        *changes = (struct su_advisory_changes){0};
}
