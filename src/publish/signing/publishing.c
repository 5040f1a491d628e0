/* The order in which a new state gets to public/, where devices may read at any moment, and where
 * a mirror may copy file by file:
 *
 *     objects            named by their SHA-256: nobody knows of them yet
 *     targets files      the same
 *     N.BASELINE.json, N.targets.json, N.snapshot.json
 *                        named by version: nobody knows of them yet
 *     timestamp.json     replaced in one step, and with it everything is in force
 *
 * With a new root there are two things to replace, timestamp.json and N.root.json, and a device may
 * come between them. A device reads the newest root first. Were the root first to go out, a device
 * would find it, and then a timestamp (or, below the one it has, targets) that only the former keys
 * have signed. Were the new timestamp first to go out, a device with the former root would find new
 * signatures only. So what goes out with a root is signed by the former keys of each role and by
 * its new ones, and the timestamp goes out first: before the root it is good by the former keys,
 * afterwards by the new ones.
 *
 * After the root goes out one more timestamp, signed by both again. A device that came in between
 * knows the first one with its former root, and asks only whether the timestamp has changed:
 * without the second one it would hear of the new root only with the next refresh. And a device
 * that looked for a new root just before it came still finds a timestamp that its root vouches for.
 *
 * Where the former keys of a role are lost or elsewhere, that cannot be: a device which comes
 * between timestamp and root is refused once, keeps what it has, and succeeds at its next try.
 */
#include "publish/signing/publishing.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/signing/outgoing.h"

bool su_publishing_is_pending(const struct su_workspace *workspace)
{
        return faccessat(workspace->fd, SU_OUTGOING, F_OK, 0) == 0;
}

/* Of directory `from` to directory `to`, durably. */
static int move(const struct su_workspace *workspace, const char *from, const char *from_name,
                const char *to, const char *to_name, struct su_error *err)
{
        su_auto_close int from_fd = -EBADF;
        su_auto_close int to_fd = -EBADF;
        int r;

        r = su_dir_make(workspace->fd, from, 0755, &from_fd, err);
        if (r >= 0)
                r = su_dir_make(workspace->fd, to, 0755, &to_fd, err);
        if (r < 0)
                return r;
        if (renameat(from_fd, from_name, to_fd, to_name) < 0)
                return su_fail_errno(err, errno, "cannot publish '%s'", to_name);
        return su_sync_parent(to_fd, to_name, err);
}

typedef int (*visit_file)(const struct su_workspace *workspace, const char *directory,
                          const char *name, struct su_error *err);

static bool ends_with_either(const char *name, const char *a, const char *b)
{
        return su_ends_with(name, a) || (b && su_ends_with(name, b));
}

/* Every file below outgoing/`below` whose name ends with one of the two suffixes; of outgoing/
 * itself (".") only those that lie in it. */
static int for_each_file(const struct su_workspace *workspace, const char *below, const char *a,
                         const char *b, visit_file visit, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_closedir DIR *dir = NULL;
        struct dirent *entry;
        int fd = -EBADF;
        int r;

        r = su_format(&path, err, SU_OUTGOING "/%s", below);
        if (r < 0)
                return r;
        fd = openat(workspace->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return 0;
        dir = fd >= 0 ? fdopendir(fd) : NULL;
        if (!dir)
                return su_fail_errno(err, errno, "cannot list '%s'", path);
        while (r >= 0 && (entry = readdir(dir))) {
                su_auto_free char *deeper = NULL;
                struct stat st;

                if (entry->d_name[0] == '.' ||
                    (strcmp(below, ".") == 0 && strcmp(entry->d_name, "targets") == 0))
                        continue;
                if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return su_fail_errno(err, errno, "cannot look at '%s'", entry->d_name);
                if (S_ISDIR(st.st_mode)) {
                        r = su_format(&deeper, err, "%s/%s", below, entry->d_name);
                        if (r >= 0)
                                r = for_each_file(workspace, deeper, a, b, visit, err);
                } else if (ends_with_either(entry->d_name, a, b))
                        r = visit(workspace, below, entry->d_name, err);
        }
        return r;
}

static int add_draft_objects(const struct su_workspace *workspace,
                             const struct su_manifest *manifest, struct su_error *err)
{
        su_auto_close int draft_fd = -EBADF;
        su_auto_close int objects_fd = -EBADF;
        int r;

        r = su_workspace_draft_dir(workspace, manifest->baseline, &draft_fd, err);
        if (r >= 0)
                r = su_dir_make(draft_fd, "objects", 0755, &objects_fd, err);
        for (size_t i = 0; i < manifest->n_components && r >= 0; i++)
                for (size_t j = 0; j < manifest->components[i].n_deltas && r >= 0; j++)
                        r = su_repository_add_object(workspace, objects_fd,
                                                     &manifest->components[i].deltas[j].object,
                                                     err);
        return r;
}

/* A manifest that goes out brings its objects along, and ends its draft. */
static int move_objects(const struct su_workspace *workspace, const char *directory,
                        const char *name, struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_format(&path, err, SU_OUTGOING "/%s/%s", directory, name);
        if (r >= 0)
                r = su_file_read(workspace->fd, path, SU_MANIFEST_SIZE_MAX, &text, &size, err);
        if (r >= 0)
                r = su_manifest_parse(text, size, &manifest, err);
        if (r >= 0)
                r = add_draft_objects(workspace, &manifest, err);
        if (r >= 0)
                r = su_workspace_drop_draft(workspace, manifest.baseline, err);
        return r;
}

static int move_target(const struct su_workspace *workspace, const char *directory,
                       const char *name, struct su_error *err)
{
        su_auto_free char *from = NULL;
        su_auto_free char *to = NULL;
        int r;

        r = su_format(&from, err, SU_OUTGOING "/%s", directory);
        if (r >= 0)
                r = su_format(&to, err, "public/%s", directory);
        return r < 0 ? r : move(workspace, from, name, to, name, err);
}

/* Metadata below the timestamp: not yet known to anybody. */
static int move_metadata(const struct su_workspace *workspace, const char *directory,
                         const char *name, struct su_error *err)
{
        (void)directory;
        if (name[0] < '0' || name[0] > '9' || su_ends_with(name, ".root.json"))
                return 0;
        return move(workspace, SU_OUTGOING, name, "public/metadata", name, err);
}

static int move_root(const struct su_workspace *workspace, const char *directory, const char *name,
                     struct su_error *err)
{
        (void)directory;
        return move(workspace, SU_OUTGOING, name, "public/metadata", name, err);
}

/* Web servers make a file's entity tag of its size, which is the same, and the second of its last
 * change: of two timestamps within a second, who knows the first would not hear of the other. */
static int set_later_than_public(const struct su_workspace *workspace, const char *path,
                                 struct su_error *err)
{
        struct stat now;
        struct stat before;
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};

        if (fstatat(workspace->fd, "public/metadata/timestamp.json", &before, 0) < 0)
                return errno == ENOENT ? 0
                                       : su_fail_errno(err, errno, "cannot look at timestamp.json");
        if (fstatat(workspace->fd, path, &now, 0) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", path);
        if (now.st_mtim.tv_sec > before.st_mtim.tv_sec)
                return 0;
        times[1].tv_sec = before.st_mtim.tv_sec + 1;
        if (utimensat(workspace->fd, path, times, 0) < 0)
                return su_fail_errno(err, errno, "cannot date '%s'", path);
        return 0;
}

static int move_timestamp(const struct su_workspace *workspace, const char *name,
                          struct su_error *err)
{
        su_auto_free char *path = NULL;
        int r;

        r = su_format(&path, err, SU_OUTGOING "/%s", name);
        if (r < 0 || faccessat(workspace->fd, path, F_OK, 0) < 0)
                return r;
        r = set_later_than_public(workspace, path, err);
        if (r < 0)
                return r;
        return move(workspace, SU_OUTGOING, name, "public/metadata", "timestamp.json", err);
}

/* What goes out waits no more. */
static int drop_staged(const struct su_workspace *workspace, const char *directory,
                       const char *name, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *targets = NULL;
        const char *role;
        int64_t version;
        size_t size;
        int r;

        (void)directory;
        if (!su_role_file_parse(name, &version, &role, &size))
                return 0;
        r = su_format(&path, err, SU_STAGED "/%s", name);
        if (r >= 0)
                r = su_format(&targets, err, SU_STAGED "/targets/%.*s", (int)size, role);
        if (r >= 0)
                r = su_remove_tree(workspace->fd, path, err);
        return r < 0 ? r : su_remove_tree(workspace->fd, targets, err);
}

/* The one before the root is replaced a moment later. Whoever brings the repository elsewhere must
 * send it once more there, so a second name keeps it. */
static int keep_before_root(const struct su_workspace *workspace, const char *directory,
                            const char *name, struct su_error *err)
{
        su_auto_close int roots_fd = -EBADF;
        su_auto_free char *kept = NULL;
        const char *role;
        int64_t version;
        size_t size;
        int r;

        (void)directory;
        if (!su_role_file_parse(name, &version, &role, &size))
                return 0;
        r = su_dir_make(workspace->fd, SU_ROOTS, 0755, &roots_fd, err);
        if (r >= 0)
                r = su_format(&kept, err, "%lld.timestamp.json", (long long)version);
        if (r < 0)
                return r;
        if (linkat(workspace->fd, SU_OUTGOING "/" SU_TIMESTAMP_BEFORE_ROOT, roots_fd, kept, 0) < 0)
                return errno == EEXIST || errno == ENOENT
                               ? 0
                               : su_fail_errno(err, errno, "cannot keep '%s'", kept);
        return su_sync_parent(roots_fd, kept, err);
}

int su_publishing_settle(const struct su_workspace *workspace, struct su_error *err)
{
        int r;

        if (!su_publishing_is_pending(workspace))
                return su_remove_tree(workspace->fd, SU_OUTGOING_NEW, err);
        r = for_each_file(workspace, "targets", ".manifest.json", NULL, move_objects, err);
        if (r >= 0)
                r = for_each_file(workspace, ".", ".json", NULL, drop_staged, err);
        if (r >= 0)
                r = for_each_file(workspace, "targets", ".channel.json", ".manifest.json",
                                  move_target, err);
        if (r >= 0)
                r = for_each_file(workspace, ".", ".json", NULL, move_metadata, err);
        if (r >= 0)
                r = for_each_file(workspace, ".", ".root.json", NULL, keep_before_root, err);
        if (r >= 0)
                r = move_timestamp(workspace, SU_TIMESTAMP_BEFORE_ROOT, err);
        if (r >= 0)
                r = for_each_file(workspace, ".", ".root.json", NULL, move_root, err);
        if (r >= 0)
                r = move_timestamp(workspace, "timestamp.json", err);
        return r < 0 ? r : su_remove_tree(workspace->fd, SU_OUTGOING, err);
}

static int commit(const struct su_workspace *workspace, struct su_error *err)
{
        if (renameat(workspace->fd, SU_OUTGOING_NEW, workspace->fd, SU_OUTGOING) < 0)
                return su_fail_errno(err, errno, "cannot publish");
        return su_sync_parent(workspace->fd, SU_OUTGOING, err);
}

static int remember(const struct su_staged_list *list, const bool *goes,
                    struct su_published *published, struct su_error *err)
{
        published->roles = calloc(list->n + 1, sizeof *published->roles);
        if (!published->roles)
                return su_fail_oom(err);
        for (size_t i = 0; i < list->n; i++) {
                int r;

                if (!goes[i])
                        continue;
                r = su_strdup(list->each[i].role, &published->roles[published->n_roles], err);
                if (r < 0)
                        return r;
                published->n_roles++;
        }
        return 0;
}

int su_publishing_run(struct su_publisher *publisher, bool always, struct su_published *ret,
                      struct su_error *err)
{
        su_auto_staged_list struct su_staged_list list = {0};
        su_auto_published struct su_published published = {0};
        su_auto_free bool *goes = NULL;
        int r;

        r = su_staging_list(&publisher->workspace, &list, err);
        if (r < 0)
                return r;
        goes = calloc(list.n + 1, sizeof *goes);
        if (!goes)
                return su_fail_oom(err);
        r = su_outgoing_choose(&publisher->workspace, &list, goes, err);
        if (r >= 0)
                r = remember(&list, goes, &published, err);
        if (r >= 0 && (published.n_roles > 0 || always)) {
                r = su_outgoing_write(publisher, &list, goes, err);
                if (r >= 0)
                        r = commit(&publisher->workspace, err);
                if (r >= 0)
                        r = su_publishing_settle(&publisher->workspace, err);
        }
        if (r < 0)
                return r;
        *ret = published;
        published = (struct su_published){0};
        return 0;
}

bool su_published_has(const struct su_published *published, const char *role)
{
        for (size_t i = 0; i < published->n_roles; i++)
                if (strcmp(published->roles[i], role) == 0)
                        return true;
        return false;
}

void su_published_done(struct su_published *published)
{
        for (size_t i = 0; i < published->n_roles; i++)
                free(published->roles[i]);
        free(published->roles);
        *published = (struct su_published){0};
}
