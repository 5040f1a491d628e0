#include "publish/signing/staging.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "publish/signing/compose.h"

#define COPY "staged.new"

/* Nothing that is here is ever changed in place, so that links do for copies. */
int su_staging_link_tree(int from_fd, int to_fd, struct su_error *err)
{
        int copy = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        su_auto_closedir DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
        struct dirent *entry;

        if (!dir)
                return su_fail_errno(err, errno, "cannot list what waits");
        while ((entry = readdir(dir))) {
                const char *name = entry->d_name;
                su_auto_close int below_from = -EBADF;
                su_auto_close int below_to = -EBADF;
                int r;

                if (name[0] == '.' || su_ends_with(name, ".tmp"))
                        continue;
                below_from = openat(from_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (below_from < 0 && errno == ENOTDIR) {
                        if (linkat(from_fd, name, to_fd, name, 0) < 0)
                                return su_fail_errno(err, errno, "cannot copy '%s'", name);
                        continue;
                }
                if (below_from < 0)
                        return su_fail_errno(err, errno, "cannot open '%s'", name);
                r = su_dir_make(to_fd, name, 0755, &below_to, err);
                if (r >= 0)
                        r = su_staging_link_tree(below_from, below_to, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int su_staging_abandon(struct su_workspace *workspace, struct su_error *err)
{
        workspace->staging = SU_STAGED;
        return su_remove_tree(workspace->fd, COPY, err);
}

int su_staging_begin(struct su_workspace *workspace, struct su_error *err)
{
        su_auto_close int from_fd = -EBADF;
        su_auto_close int to_fd = -EBADF;
        int r;

        r = su_staging_abandon(workspace, err);
        if (r >= 0)
                r = su_dir_make(workspace->fd, SU_STAGED, 0755, &from_fd, err);
        if (r >= 0)
                r = su_dir_make(workspace->fd, COPY, 0755, &to_fd, err);
        if (r >= 0)
                r = su_staging_link_tree(from_fd, to_fd, err);
        if (r < 0)
                return r;
        workspace->staging = COPY;
        return 0;
}

int su_staging_commit(struct su_workspace *workspace, struct su_error *err)
{
        int r;

        if (renameat2(workspace->fd, COPY, workspace->fd, SU_STAGED, RENAME_EXCHANGE) < 0)
                return su_fail_errno(err, errno, "cannot replace what waits");
        r = su_sync_parent(workspace->fd, SU_STAGED, err);
        return r < 0 ? r : su_staging_abandon(workspace, err);
}

int su_staging_next(const struct su_workspace *workspace, const char *role, json_t **ret,
                    struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        int64_t version;
        int r;

        r = su_repository_staged(workspace, role, &metadata, err);
        version = r < 0 ? 1 : metadata.version;
        if (r == -ENOENT) {
                r = su_repository_metadata(workspace, SU_PUBLISHED, role, &metadata, err);
                version = r < 0 ? 1 : metadata.version + 1;
        }
        if (r == -ENOENT) {
                *ret = NULL;
                return 0;
        }
        if (r < 0)
                return r;
        return su_compose_again(su_role_type(role), metadata.signed_part, version, ret, err);
}

static int authorities_of(const struct su_workspace *workspace, const char *role,
                          json_t *signed_part, struct su_authorities *ret, struct su_error *err)
{
        const struct su_metadata metadata = {.type = SU_ROLE_ROOT, .signed_part = signed_part};

        return su_authorities_of(workspace, role,
                                 su_role_type(role) == SU_ROLE_ROOT ? &metadata : NULL, ret, err);
}

int su_staging_write(const struct su_workspace *workspace, const char *role, json_t *document,
                     struct su_error *err)
{
        const json_t *signed_part = json_object_get(document, "signed");
        su_auto_free char *file = NULL;
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        int64_t version;
        size_t size;
        int r;

        r = su_json_get_integer(signed_part, "version", 1, INT64_MAX, &version, err);
        if (r >= 0)
                r = su_role_file(role, version, &file, err);
        if (r >= 0)
                r = su_format(&path, err, "%s/%s", workspace->staging, file);
        if (r >= 0)
                r = su_json_compact(document, &text, &size, err);
        if (r >= 0)
                r = su_file_write(workspace->fd, path, text, size, 0644, err);
        return r;
}

static int sign_and_write(struct su_publisher *publisher, const char *role, json_t *signed_part,
                          const json_t *before, enum su_signing how, struct su_error *err)
{
        su_auto_authorities struct su_authorities authorities = {0};
        su_auto_json json_t *document = NULL;
        int r;

        r = authorities_of(&publisher->workspace, role, signed_part, &authorities, err);
        if (r >= 0)
                r = su_signing_make(&publisher->keyring, &authorities, signed_part, before, how,
                                    &document, err);
        if (r >= 0)
                r = su_staging_write(&publisher->workspace, role, document, err);
        return r;
}

int su_staging_put(struct su_publisher *publisher, const char *role, json_t *signed_part,
                   enum su_signing how, struct su_error *err)
{
        return sign_and_write(publisher, role, signed_part, NULL, how, err);
}

int su_staging_add_target(const struct su_workspace *workspace, json_t *signed_part,
                          const char *path, const char *text, size_t size, struct su_error *err)
{
        const char *slash = strrchr(path, '/');
        char hex[SU_SHA256_HEX_SIZE];
        su_auto_close int fd = -EBADF;
        su_auto_free char *directory = NULL;
        su_auto_free char *name = NULL;
        struct su_sha256 digest;
        json_t *targets;
        int r;

        r = su_sha256_of(text, size, &digest, err);
        if (r >= 0)
                r = su_json_get_object(signed_part, "targets", &targets, err);
        if (r < 0)
                return r;
        su_hex_encode(digest.bytes, sizeof digest.bytes, hex);
        if (json_object_set_new(targets, path,
                                json_pack("{s:I, s:{s:s}}", "length", (json_int_t)size, "hashes",
                                          "sha256", hex)) < 0)
                return su_fail_oom(err);
        r = su_format(&directory, err, "%s/targets/%.*s", workspace->staging, (int)(slash - path),
                      path);
        if (r >= 0)
                r = su_dir_make(workspace->fd, directory, 0755, &fd, err);
        if (r >= 0)
                r = su_format(&name, err, "%s.%s", hex, slash + 1);
        if (r >= 0)
                r = su_file_write(fd, name, text, size, 0644, err);
        return r;
}

/* Sign again what waits already, or, when the role's keys are new, a next version. */
static int settle_role(struct su_publisher *publisher, const char *role, struct su_error *err)
{
        su_auto_metadata struct su_metadata staged = {0};
        su_auto_json json_t *next = NULL;
        bool changes = false;
        int r;

        r = su_repository_staged(&publisher->workspace, role, &staged, err);
        if (r >= 0)
                return sign_and_write(publisher, role, staged.signed_part,
                                      json_object_get(staged.document, "signatures"),
                                      SU_SIGN_WHAT_CAN_BE, err);
        if (r != -ENOENT)
                return r;
        r = su_authority_changes(&publisher->workspace, role, &changes, err);
        if (r < 0 || !changes)
                return r;
        r = su_staging_next(&publisher->workspace, role, &next, err);
        if (r >= 0 && !next)
                r = su_compose_targets(1, &next, err);
        return r < 0 ? r : su_staging_put(publisher, role, next, SU_SIGN_STRICT, err);
}

static int settle_root(struct su_publisher *publisher, struct su_error *err)
{
        su_auto_metadata struct su_metadata root = {0};
        int r;

        r = su_repository_staged(&publisher->workspace, "root", &root, err);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : settle_role(publisher, "root", err);
}

int su_staging_settle(struct su_publisher *publisher, struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        su_auto_metadata struct su_metadata targets = {0};
        int r;

        r = settle_root(publisher, err);
        if (r >= 0)
                r = settle_role(publisher, "targets", err);
        if (r >= 0)
                r = su_repository_metadata(&publisher->workspace, SU_NEWEST, "targets", &targets,
                                           err);
        if (r >= 0)
                r = su_delegations_read(&targets, &delegations, err);
        for (size_t i = 0; i < delegations.n_roles && r >= 0; i++)
                r = settle_role(publisher, delegations.roles[i].name, err);
        return r;
}

static void staged_done(struct su_staged *staged)
{
        free(staged->role);
        free(staged->file);
        su_metadata_done(&staged->metadata);
        su_authorities_done(&staged->authorities);
}

void su_staged_list_done(struct su_staged_list *list)
{
        for (size_t i = 0; i < list->n; i++)
                staged_done(&list->each[i]);
        free(list->each);
        *list = (struct su_staged_list){0};
}

static int read_staged(const struct su_workspace *workspace, const char *file,
                       struct su_staged *staged, struct su_error *err)
{
        const char *role;
        int64_t version;
        size_t size;
        int r;

        (void)su_role_file_parse(file, &version, &role, &size);
        r = su_strdup(file, &staged->file, err);
        if (r >= 0)
                r = su_format(&staged->role, err, "%.*s", (int)size, role);
        if (r >= 0)
                r = su_repository_staged(workspace, staged->role, &staged->metadata, err);
        if (r >= 0)
                r = authorities_of(workspace, staged->role, staged->metadata.signed_part,
                                   &staged->authorities, err);
        if (r >= 0)
                r = su_authorities_are_met(&staged->authorities, &staged->metadata,
                                           &staged->complete, err);
        if (r < 0)
                return su_fail_prefix(err, r, "'" SU_STAGED "/%s'", file);
        if (staged->metadata.expires <= su_now())
                staged->complete = false;
        return 0;
}

static int compare_staged(const void *a, const void *b)
{
        const struct su_staged *left = a;
        const struct su_staged *right = b;
        int rank = (strcmp(left->role, "root") != 0) - (strcmp(right->role, "root") != 0);

        if (rank == 0)
                rank = (strcmp(left->role, "targets") != 0) - (strcmp(right->role, "targets") != 0);
        return rank ? rank : strcmp(left->role, right->role);
}

int su_staging_list(const struct su_workspace *workspace, struct su_staged_list *ret,
                    struct su_error *err)
{
        su_auto_staged_list struct su_staged_list list = {0};
        int fd = openat(workspace->fd, workspace->staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        su_auto_closedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        const struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                struct su_staged *larger;
                const char *role;
                int64_t version;
                size_t size;
                int r;

                if (!su_role_file_parse(entry->d_name, &version, &role, &size))
                        continue;
                larger = reallocarray(list.each, list.n + 1, sizeof *larger);
                if (!larger)
                        return su_fail_oom(err);
                list.each = larger;
                larger[list.n++] = (struct su_staged){0};
                r = read_staged(workspace, entry->d_name, &larger[list.n - 1], err);
                if (r < 0)
                        return r;
        }
        if (list.n > 0)
                qsort(list.each, list.n, sizeof *list.each, compare_staged);
        *ret = (struct su_staged_list){su_take(list.each), list.n};
        list.n = 0;
        return 0;
}
