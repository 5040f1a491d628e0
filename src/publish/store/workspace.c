#include "publish/store/workspace.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

#define MARKER "suture-publish.json"
#define MARKER_TEXT "{\n  \"type\": \"suture-workspace\",\n  \"version\": 1\n}\n"

static int open_at(const char *path, struct su_workspace *ret, struct su_error *err)
{
        su_auto_free char *absolute = realpath(path, NULL);
        int r;

        if (!absolute)
                return su_fail_errno(err, errno, "cannot find '%s'", path);
        r = su_dir_open(absolute, &ret->fd, err);
        if (r < 0)
                return r;
        ret->path = su_take(absolute);
        ret->staging = SU_STAGED;
        return 0;
}

static int lock(const struct su_workspace *workspace, int operation, struct su_error *err)
{
        if (flock(workspace->fd, operation | LOCK_NB) == 0)
                return 0;
        if (errno == EWOULDBLOCK)
                return su_fail(err, SU_ERROR_BUSY, "another process works in '%s'",
                               workspace->path);
        return su_fail_errno(err, errno, "cannot lock '%s'", workspace->path);
}

int su_workspace_init(const char *path, struct su_workspace *ret, struct su_error *err)
{
        su_auto_workspace struct su_workspace workspace = {.fd = -EBADF};
        int r;

        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return su_fail_errno(err, errno, "cannot make '%s'", path);
        r = open_at(path, &workspace, err);
        if (r < 0)
                return r;
        if (faccessat(workspace.fd, MARKER, F_OK, 0) == 0)
                return su_fail(err, SU_ERROR_CONFLICT, "'%s' is a workspace already", path);
        r = lock(&workspace, LOCK_EX, err);
        if (r < 0)
                return r;
        r = su_file_write(workspace.fd, MARKER, MARKER_TEXT, strlen(MARKER_TEXT), 0644, err);
        if (r < 0)
                return r;
        *ret = workspace;
        workspace = (struct su_workspace){.fd = -EBADF};
        return 0;
}

int su_workspace_open(const char *path, enum su_workspace_access access, struct su_workspace *ret,
                      struct su_error *err)
{
        su_auto_workspace struct su_workspace workspace = {.fd = -EBADF};
        int r;

        r = open_at(path, &workspace, err);
        if (r < 0)
                return r;
        if (faccessat(workspace.fd, MARKER, F_OK, 0) < 0)
                return su_fail(err, SU_ERROR_CONFIG,
                               "'%s' is no workspace: run 'suture-publish init' there first", path);
        r = lock(&workspace, access == SU_WORKSPACE_CHANGE ? LOCK_EX : LOCK_SH, err);
        if (r < 0)
                return r;
        *ret = workspace;
        workspace = (struct su_workspace){.fd = -EBADF};
        return 0;
}

void su_workspace_done(struct su_workspace *workspace)
{
        su_close_fd(&workspace->fd);
        free(workspace->path);
        *workspace = (struct su_workspace){.fd = -EBADF};
}

int su_workspace_save_baseline(const struct su_workspace *workspace,
                               const struct su_baseline *baseline, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_dir_make(workspace->fd, "baselines", 0755, &fd, err);
        if (r >= 0)
                r = su_format(&name, err, "%s.json", baseline->name);
        if (r >= 0)
                r = su_baseline_write(baseline, &text, &size, err);
        if (r >= 0)
                r = su_file_write(fd, name, text, size, 0644, err);
        return r;
}

int su_workspace_load_baseline(const struct su_workspace *workspace, const char *name,
                               struct su_baseline *ret, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        if (!su_name_is_safe(name))
                return su_fail(err, SU_ERROR_USAGE, "'%s' is not a baseline's name", name);
        r = su_format(&path, err, "baselines/%s.json", name);
        if (r >= 0)
                r = su_file_read(workspace->fd, path, SU_BASELINE_SIZE_MAX, &text, &size, err);
        if (r == -ENOENT)
                return su_fail(
                        err, SU_ERROR_NOT_FOUND,
                        "there is no baseline '%s': record it with 'suture-publish baseline'",
                        name);
        if (r >= 0)
                r = su_baseline_parse(text, size, ret, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s", path);
        return 0;
}

int su_workspace_only_baseline(const struct su_workspace *workspace, char **ret,
                               struct su_error *err)
{
        su_auto_free char *found = NULL;
        su_auto_closedir DIR *dir = NULL;
        struct dirent *entry;
        int fd = openat(workspace->fd, "baselines", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        dir = fd >= 0 ? fdopendir(fd) : NULL;
        while (dir && (entry = readdir(dir))) {
                size_t stem = strlen(entry->d_name) - strlen(".json");

                if (!su_ends_with(entry->d_name, ".json"))
                        continue;
                if (found)
                        return su_fail(err, SU_ERROR_USAGE,
                                       "there are several baselines: say which with --baseline");
                found = strndup(entry->d_name, stem);
                if (!found)
                        return su_fail_oom(err);
        }
        if (!found)
                return su_fail(
                        err, SU_ERROR_NOT_FOUND,
                        "there is no baseline yet: record one with 'suture-publish baseline'");
        *ret = su_take(found);
        return 0;
}

int su_workspace_choose_baseline(const struct su_workspace *workspace, const char *named,
                                 char **ret, struct su_error *err)
{
        return named ? su_strdup(named, ret, err) : su_workspace_only_baseline(workspace, ret, err);
}

int su_workspace_make_directories(const struct su_workspace *workspace, struct su_error *err)
{
        static const struct {
                const char *path;
                mode_t mode;
        } directories[] = {
                {"keys", 0700},           {"public/metadata", 0755}, {"public/targets", 0755},
                {"public/objects", 0755}, {"baselines", 0755},       {"drafts", 0755},
        };

        for (size_t i = 0; i < SU_ELEMENTS(directories); i++) {
                su_auto_close int fd = -EBADF;
                int r;

                r = su_dir_make(workspace->fd, directories[i].path, directories[i].mode, &fd, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

bool su_workspace_is_one(const char *path)
{
        su_auto_free char *marker = NULL;

        return su_format(&marker, NULL, "%s/%s", path, MARKER) >= 0 &&
               faccessat(AT_FDCWD, marker, F_OK, 0) == 0;
}

static int draft_path(const char *baseline, const char *name, char **ret, struct su_error *err)
{
        return su_format(ret, err, "drafts/%s%s%s", baseline, name[0] ? "/" : "", name);
}

int su_workspace_draft_dir(const struct su_workspace *workspace, const char *baseline, int *ret_fd,
                           struct su_error *err)
{
        su_auto_free char *path = NULL;
        int r;

        r = draft_path(baseline, "", &path, err);
        if (r < 0)
                return r;
        return su_dir_make(workspace->fd, path, 0755, ret_fd, err);
}

int su_workspace_load_draft(const struct su_workspace *workspace, const char *baseline,
                            struct su_manifest *ret, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = draft_path(baseline, "manifest.json", &path, err);
        if (r >= 0)
                r = su_file_read(workspace->fd, path, SU_MANIFEST_SIZE_MAX, &text, &size, err);
        if (r == -ENOENT)
                return su_fail(
                        err, SU_ERROR_NOT_FOUND,
                        "nothing is drafted for baseline %s: run 'suture-publish build' first",
                        baseline);
        if (r < 0)
                return r;
        return su_manifest_parse_draft(text, size, ret, err);
}

int su_workspace_save_draft(const struct su_workspace *workspace,
                            const struct su_manifest *manifest, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_manifest_write(manifest, &text, &size, err);
        if (r >= 0)
                r = su_workspace_draft_dir(workspace, manifest->baseline, &fd, err);
        if (r >= 0)
                r = su_file_write(fd, "manifest.json", text, size, 0644, err);
        return r;
}

int su_workspace_drop_draft(const struct su_workspace *workspace, const char *baseline,
                            struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        r = su_dir_make(workspace->fd, "drafts", 0755, &fd, err);
        if (r < 0)
                return r;
        return su_remove_tree(fd, baseline, err);
}
