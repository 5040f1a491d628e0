#include "publish/signing/outgoing.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/signing/compose.h"

static size_t find(const struct su_staged_list *list, const char *role)
{
        size_t i = 0;

        while (i < list->n && strcmp(list->each[i].role, role) != 0)
                i++;
        return i;
}

/* The role above says with which keys a role is signed. Where what waits there has other keys for
 * it than what is published, neither can go without the other. */
static int bind(const struct su_workspace *workspace, const struct su_staged_list *list,
                const char *above, const char *role, bool *goes, struct su_error *err)
{
        size_t upper = find(list, above);
        size_t lower = find(list, role);
        bool changes;
        int r;

        if (upper == list->n)
                return 0;
        r = su_authority_changes(workspace, role, &changes, err);
        if (r < 0 || !changes)
                return r == -ENOENT ? 0 : r;
        if (lower == list->n || !goes[lower])
                goes[upper] = false;
        if (lower < list->n && !goes[upper])
                goes[lower] = false;
        return 0;
}

static int bind_baselines(const struct su_workspace *workspace, const struct su_staged_list *list,
                          bool *goes, struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        su_auto_metadata struct su_metadata targets = {0};
        int r;

        r = su_repository_metadata(workspace, SU_NEWEST, "targets", &targets, err);
        if (r >= 0)
                r = su_delegations_read(&targets, &delegations, err);
        for (size_t i = 0; i < delegations.n_roles && r >= 0; i++)
                r = bind(workspace, list, "targets", delegations.roles[i].name, goes, err);
        return r;
}

int su_outgoing_choose(const struct su_workspace *workspace, const struct su_staged_list *list,
                       bool *ret_goes, struct su_error *err)
{
        for (size_t i = 0; i < list->n; i++)
                ret_goes[i] = list->each[i].complete;
        /* What stays behind holds others back: root, targets and baselines are a chain of three,
         * and a baseline that stays holds back the targets, which hold back all the others. */
        for (size_t i = 0; i < list->n + 1; i++) {
                int r;

                r = bind(workspace, list, "root", "targets", ret_goes, err);
                if (r >= 0)
                        r = bind_baselines(workspace, list, ret_goes, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_file(const struct su_workspace *workspace, const char *file,
                      const json_t *document, char **ret_text, size_t *ret_size,
                      struct su_error *err)
{
        su_auto_free char *path = NULL;
        int r;

        r = su_format(&path, err, SU_OUTGOING_NEW "/%s", file);
        if (r >= 0)
                r = su_json_compact(document, ret_text, ret_size, err);
        if (r >= 0)
                r = su_file_write(workspace->fd, path, *ret_text, *ret_size, 0644, err);
        return r;
}

/* {"version", "length", "hashes"} of a file, for the metadata above it. */
static int describe(const json_t *document, const char *text, size_t size, json_t **ret,
                    struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        struct su_sha256 digest;
        int64_t version;
        int r;

        r = su_json_get_integer(json_object_get(document, "signed"), "version", 1, INT64_MAX,
                                &version, err);
        if (r >= 0)
                r = su_sha256_of(text, size, &digest, err);
        if (r < 0)
                return r;
        su_hex_encode(digest.bytes, sizeof digest.bytes, hex);
        *ret = json_pack("{s:I, s:I, s:{s:s}}", "version", (json_int_t)version, "length",
                         (json_int_t)size, "hashes", "sha256", hex);
        return *ret ? 0 : su_fail_oom(err);
}

static int write_and_list(const struct su_workspace *workspace, const char *file, const char *role,
                          const json_t *document, json_t *meta, struct su_error *err)
{
        su_auto_free char *listed = NULL;
        su_auto_free char *text = NULL;
        json_t *entry;
        size_t size;
        int r;

        r = write_file(workspace, file, document, &text, &size, err);
        if (r >= 0)
                r = su_format(&listed, err, "%s.json", role);
        if (r >= 0)
                r = describe(document, text, size, &entry, err);
        if (r < 0)
                return r;
        return json_object_set_new(meta, listed, entry) < 0 ? su_fail_oom(err) : 0;
}

static int write_staged(const struct su_workspace *workspace, const struct su_staged *staged,
                        json_t *meta, struct su_error *err)
{
        su_auto_json json_t *document = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_signing_strip(staged->metadata.document, &document, err);
        if (r < 0)
                return r;
        if (strcmp(staged->role, "root") == 0)
                return write_file(workspace, staged->file, document, &text, &size, err);
        return write_and_list(workspace, staged->file, staged->role, document, meta, err);
}

/* A role of this machine's own: signed at once. The root that goes out decides about its keys, or
 * the published one when none does. */
static int sign_online(struct su_publisher *publisher, enum su_role role, int64_t version,
                       json_t *meta, bool with_root, json_t **ret, struct su_error *err)
{
        const char *name = su_role_name(role);
        su_auto_authorities struct su_authorities authorities = {0};
        su_auto_json json_t *signed_part = NULL;
        su_auto_json json_t *document = NULL;
        su_auto_json json_t *stripped = NULL;
        struct su_metadata metadata;
        bool met;
        int r;

        r = su_compose_head(role, version, &signed_part, err);
        if (r < 0)
                return r;
        if (json_object_set(signed_part, "meta", meta) < 0)
                return su_fail_oom(err);
        if (with_root)
                r = su_authorities_of(&publisher->workspace, name, NULL, &authorities, err);
        else
                r = su_authority_read(&publisher->workspace, SU_PUBLISHED, name,
                                      &authorities.each[authorities.n++], err);
        if (r >= 0)
                r = su_signing_make(&publisher->keyring, &authorities, signed_part, NULL,
                                    SU_SIGN_STRICT, &document, err);
        if (r >= 0)
                r = su_signing_strip(document, &stripped, err);
        if (r < 0)
                return r;
        metadata = (struct su_metadata){
                .type = role, .document = stripped, .signed_part = signed_part};
        r = su_authorities_are_met(&authorities, &metadata, &met, err);
        if (r < 0)
                return r;
        if (!met)
                return su_fail(err, SU_ERROR_CONFIG,
                               "the keys of role '%s' are not here, and nothing is published "
                               "without its signature",
                               name);
        *ret = su_take(stripped);
        return 0;
}

static int64_t published_version(const struct su_workspace *workspace, enum su_role role)
{
        su_auto_metadata struct su_metadata metadata = {0};

        if (su_repository_metadata(workspace, SU_PUBLISHED, su_role_name(role), &metadata, NULL) <
            0)
                return 0;
        return metadata.version;
}

static int write_timestamp(struct su_publisher *publisher, const char *file, int64_t version,
                           json_t *meta, bool with_root, struct su_error *err)
{
        su_auto_json json_t *document = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = sign_online(publisher, SU_ROLE_TIMESTAMP, version, meta, with_root, &document, err);
        return r < 0 ? r : write_file(&publisher->workspace, file, document, &text, &size, err);
}

/* The snapshot and the timestamps. */
static int write_online(struct su_publisher *publisher, json_t *meta, bool with_root,
                        struct su_error *err)
{
        const struct su_workspace *workspace = &publisher->workspace;
        int64_t snapshot_version = published_version(workspace, SU_ROLE_SNAPSHOT) + 1;
        int64_t version = published_version(workspace, SU_ROLE_TIMESTAMP);
        su_auto_json json_t *snapshot = NULL;
        su_auto_json json_t *above = json_object();
        su_auto_free char *file = NULL;
        int r;

        r = sign_online(publisher, SU_ROLE_SNAPSHOT, snapshot_version, meta, with_root, &snapshot,
                        err);
        if (r >= 0)
                r = su_role_file("snapshot", snapshot_version, &file, err);
        if (r >= 0)
                r = write_and_list(workspace, file, "snapshot", snapshot, above, err);
        if (r >= 0 && with_root && version > 0)
                r = write_timestamp(publisher, SU_TIMESTAMP_BEFORE_ROOT, ++version, above,
                                    with_root, err);
        if (r >= 0)
                r = write_timestamp(publisher, "timestamp.json", ++version, above, with_root, err);
        return r;
}

/* A copy of "meta" of the published snapshot. */
static int begin_meta(const struct su_workspace *workspace, json_t **ret, struct su_error *err)
{
        su_auto_metadata struct su_metadata snapshot = {0};
        json_t *meta;
        int r;

        r = su_repository_metadata(workspace, SU_PUBLISHED, "snapshot", &snapshot, err);
        if (r == -ENOENT) {
                *ret = json_object();
                return *ret ? 0 : su_fail_oom(err);
        }
        if (r >= 0)
                r = su_json_get_object(snapshot.signed_part, "meta", &meta, err);
        if (r < 0)
                return r;
        *ret = json_deep_copy(meta);
        return *ret ? 0 : su_fail_oom(err);
}

/* The channels and manifests of a baseline go with its metadata. */
static int link_targets(const struct su_workspace *workspace, const char *baseline,
                        struct su_error *err)
{
        su_auto_close int from_fd = -EBADF;
        su_auto_close int to_fd = -EBADF;
        su_auto_free char *from = NULL;
        su_auto_free char *to = NULL;
        int r;

        r = su_format(&from, err, SU_STAGED "/targets/%s", baseline);
        if (r >= 0)
                r = su_format(&to, err, SU_OUTGOING_NEW "/targets/%s", baseline);
        if (r < 0)
                return r;
        from_fd = openat(workspace->fd, from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (from_fd < 0 && errno == ENOENT)
                return 0;
        if (from_fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", from);
        r = su_dir_make(workspace->fd, to, 0755, &to_fd, err);
        return r < 0 ? r : su_staging_link_tree(from_fd, to_fd, err);
}

int su_outgoing_write(struct su_publisher *publisher, const struct su_staged_list *list,
                      const bool *goes, struct su_error *err)
{
        const struct su_workspace *workspace = &publisher->workspace;
        su_auto_close int fd = -EBADF;
        su_auto_json json_t *meta = NULL;
        bool with_root = false;
        int r;

        r = su_remove_tree(workspace->fd, SU_OUTGOING_NEW, err);
        if (r >= 0)
                r = su_dir_make(workspace->fd, SU_OUTGOING_NEW, 0755, &fd, err);
        if (r >= 0)
                r = begin_meta(workspace, &meta, err);
        for (size_t i = 0; i < list->n && r >= 0; i++) {
                if (!goes[i])
                        continue;
                with_root |= strcmp(list->each[i].role, "root") == 0;
                r = write_staged(workspace, &list->each[i], meta, err);
                if (r >= 0)
                        r = link_targets(workspace, list->each[i].role, err);
        }
        return r < 0 ? r : write_online(publisher, meta, with_root, err);
}
