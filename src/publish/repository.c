#include "publish/repository.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "trust/meta.h"
#include "trust/sign.h"

#define SPEC_VERSION "1.0.34"
#define METADATA_SIZE_MAX (64 * 1024 * 1024)
#define SECONDS_PER_DAY 86400

static int role_days(enum su_role role)
{
        static const int days[SU_ROLES] = {
                [SU_ROLE_ROOT] = SU_ROOT_DAYS,
                [SU_ROLE_TIMESTAMP] = SU_TIMESTAMP_DAYS,
                [SU_ROLE_SNAPSHOT] = SU_SNAPSHOT_DAYS,
                [SU_ROLE_TARGETS] = SU_TARGETS_DAYS,
        };

        return days[role];
}

static int key_name(enum su_role role, char **ret, struct su_error *err)
{
        return su_format(ret, err, "keys/%s.pem", su_role_name(role));
}

static int load_key(const struct su_workspace *workspace, enum su_role role,
                    struct su_private_key **ret, struct su_error *err)
{
        su_auto_free char *name = NULL;
        int r;

        r = key_name(role, &name, err);
        if (r < 0)
                return r;
        return su_private_key_load(workspace->fd, name, NULL, ret, err);
}

/* "metadata/N.ROLE.json", and "metadata/timestamp.json", which has no version in its name. */
static int metadata_path(enum su_role role, int64_t version, char **ret, struct su_error *err)
{
        if (role == SU_ROLE_TIMESTAMP)
                return su_format(ret, err, "public/metadata/timestamp.json");
        return su_format(ret, err, "public/metadata/%lld.%s.json", (long long)version,
                         su_role_name(role));
}

/* The head of every "signed" part; the caller adds the rest. */
static json_t *signed_head(enum su_role role, int64_t version)
{
        char expires[SU_TIME_TEXT_SIZE];

        su_time_format(su_now() + (int64_t)role_days(role) * SECONDS_PER_DAY, expires);
        return json_pack("{s:s, s:s, s:I, s:s}", "_type", su_role_name(role), "spec_version",
                         SPEC_VERSION, "version", (json_int_t)version, "expires", expires);
}

/* A signed file, and what the role above says of it. */
struct signed_file {
        char *text;
        size_t size;
        json_t *meta;
};

static void signed_file_done(struct signed_file *file)
{
        free(file->text);
        json_decref(file->meta);
}

static int describe_file(struct signed_file *file, int64_t version, struct su_error *err)
{
        struct su_sha256 digest;
        json_t *hashes = json_object();
        int r;

        r = su_sha256_of(file->text, file->size, &digest, err);
        if (r < 0) {
                json_decref(hashes);
                return r;
        }
        if (su_json_set_hex(hashes, "sha256", digest.bytes, sizeof digest.bytes) < 0) {
                json_decref(hashes);
                return su_fail_oom(err);
        }
        file->meta = json_pack("{s:I, s:I, s:o}", "version", (json_int_t)version, "length",
                               (json_int_t)file->size, "hashes", hashes);
        return file->meta ? 0 : su_fail_oom(err);
}

static int write_role(const struct su_workspace *workspace, enum su_role role, int64_t version,
                      json_t *signed_part, struct signed_file *ret, struct su_error *err)
{
        su_auto_private_key struct su_private_key *key = NULL;
        su_auto_free char *path = NULL;
        int r;

        r = load_key(workspace, role, &key, err);
        if (r >= 0)
                r = su_metadata_sign(signed_part, &key, 1, &ret->text, &ret->size, err);
        if (r >= 0)
                r = describe_file(ret, version, err);
        if (r >= 0)
                r = metadata_path(role, version, &path, err);
        if (r >= 0)
                r = su_file_write(workspace->fd, path, ret->text, ret->size, 0644, err);
        return r;
}

static int add_key(json_t *keys, json_t *roles, enum su_role role, const struct su_private_key *key,
                   struct su_error *err)
{
        char id_hex[SU_SHA256_HEX_SIZE];
        su_auto_public_key struct su_public_key *public_key = NULL;
        struct su_sha256 id;
        json_t *object;
        int r;

        r = su_private_key_public(key, &public_key, err);
        if (r >= 0)
                r = su_key_object(public_key, &object, &id, err);
        if (r < 0)
                return r;
        su_hex_encode(id.bytes, sizeof id.bytes, id_hex);
        if (json_object_set_new(keys, id_hex, object) < 0 ||
            json_object_set_new(roles, su_role_name(role),
                                json_pack("{s:[s], s:i}", "keyids", id_hex, "threshold", 1)) < 0)
                return su_fail_oom(err);
        return 0;
}

static int make_keys(const struct su_workspace *workspace, json_t *keys, json_t *roles,
                     struct su_error *err)
{
        for (enum su_role role = 0; role < SU_ROLES; role++) {
                su_auto_private_key struct su_private_key *key = NULL;
                su_auto_free char *name = NULL;
                int r;

                r = su_private_key_generate(SU_KEY_ED25519, &key, err);
                if (r >= 0)
                        r = key_name(role, &name, err);
                if (r >= 0)
                        r = su_private_key_save(key, workspace->fd, name, NULL, err);
                if (r >= 0)
                        r = add_key(keys, roles, role, key, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_root(const struct su_workspace *workspace, struct su_error *err)
{
        su_auto(signed_file_done) struct signed_file file = {0};
        su_auto_json json_t *signed_part = signed_head(SU_ROLE_ROOT, 1);
        su_auto_json json_t *keys = json_object();
        su_auto_json json_t *roles = json_object();
        int r;

        r = make_keys(workspace, keys, roles, err);
        if (r < 0)
                return r;
        if (json_object_set(signed_part, "keys", keys) < 0 ||
            json_object_set(signed_part, "roles", roles) < 0 ||
            json_object_set_new(signed_part, "consistent_snapshot", json_true()) < 0)
                return su_fail_oom(err);
        return write_role(workspace, SU_ROLE_ROOT, 1, signed_part, &file, err);
}

/* Targets, then the snapshot that names them, then the timestamp that names that. */
static int write_chain(const struct su_workspace *workspace, int64_t version, json_t *targets,
                       struct su_error *err)
{
        su_auto(signed_file_done) struct signed_file targets_file = {0};
        su_auto(signed_file_done) struct signed_file snapshot_file = {0};
        su_auto(signed_file_done) struct signed_file timestamp_file = {0};
        su_auto_json json_t *targets_part = signed_head(SU_ROLE_TARGETS, version);
        su_auto_json json_t *snapshot_part = signed_head(SU_ROLE_SNAPSHOT, version);
        su_auto_json json_t *timestamp_part = signed_head(SU_ROLE_TIMESTAMP, version);
        int r;

        if (json_object_set(targets_part, "targets", targets) < 0)
                return su_fail_oom(err);
        r = write_role(workspace, SU_ROLE_TARGETS, version, targets_part, &targets_file, err);
        if (r < 0)
                return r;
        if (json_object_set_new(snapshot_part, "meta",
                                json_pack("{s:O}", "targets.json", targets_file.meta)) < 0)
                return su_fail_oom(err);
        r = write_role(workspace, SU_ROLE_SNAPSHOT, version, snapshot_part, &snapshot_file, err);
        if (r < 0)
                return r;
        if (json_object_set_new(timestamp_part, "meta",
                                json_pack("{s:O}", "snapshot.json", snapshot_file.meta)) < 0)
                return su_fail_oom(err);
        return write_role(workspace, SU_ROLE_TIMESTAMP, version, timestamp_part, &timestamp_file,
                          err);
}

static int make_directories(const struct su_workspace *workspace, struct su_error *err)
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

int su_repository_init(const struct su_workspace *workspace, struct su_error *err)
{
        su_auto_json json_t *targets = json_object();
        int r;

        r = make_directories(workspace, err);
        if (r >= 0)
                r = write_root(workspace, err);
        if (r >= 0)
                r = write_chain(workspace, 1, targets, err);
        return r;
}

static int read_metadata(const struct su_workspace *workspace, enum su_role role, int64_t version,
                         struct su_metadata *ret, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = metadata_path(role, version, &path, err);
        if (r >= 0)
                r = su_file_read(workspace->fd, path, METADATA_SIZE_MAX, &text, &size, err);
        if (r >= 0)
                r = su_metadata_parse(role, su_role_name(role), text, size, ret, err);
        return r;
}

int su_repository_metadata(const struct su_workspace *workspace, enum su_role role,
                           struct su_metadata *ret, struct su_error *err)
{
        su_auto_metadata struct su_metadata above = {0};
        su_auto_free char *name = NULL;
        struct su_meta_entry entry = {.version = 1};
        int r;

        if (role == SU_ROLE_SNAPSHOT || role == SU_ROLE_TARGETS) {
                r = su_repository_metadata(
                        workspace, role == SU_ROLE_TARGETS ? SU_ROLE_SNAPSHOT : SU_ROLE_TIMESTAMP,
                        &above, err);
                if (r >= 0)
                        r = su_format(&name, err, "%s.json", su_role_name(role));
                if (r >= 0)
                        r = su_meta_entry_read(&above, name, &entry, err);
                if (r < 0)
                        return r;
        }
        return read_metadata(workspace, role, entry.version, ret, err);
}

/* public/targets/DIR/SHA256.NAME, its directory made when needed. */
static int write_target_file(const struct su_workspace *workspace,
                             const struct su_new_target *target, const char *hex,
                             struct su_error *err)
{
        const char *slash = strrchr(target->path, '/');
        int directory_size = slash ? (int)(slash - target->path) : 0;
        su_auto_close int fd = -EBADF;
        su_auto_free char *directory = NULL;
        su_auto_free char *name = NULL;
        int r;

        r = su_format(&directory, err, "public/targets/%.*s", directory_size, target->path);
        if (r >= 0)
                r = su_dir_make(workspace->fd, directory, 0755, &fd, err);
        if (r >= 0)
                r = su_format(&name, err, "%s.%s", hex, slash ? slash + 1 : target->path);
        if (r >= 0)
                r = su_file_write(fd, name, target->text, target->size, 0644, err);
        return r;
}

static int add_target(const struct su_workspace *workspace, json_t *targets,
                      const struct su_new_target *target, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        struct su_sha256 digest;
        int r;

        r = su_sha256_of(target->text, target->size, &digest, err);
        if (r < 0)
                return r;
        su_hex_encode(digest.bytes, sizeof digest.bytes, hex);
        if (json_object_set_new(targets, target->path,
                                json_pack("{s:I, s:{s:s}}", "length", (json_int_t)target->size,
                                          "hashes", "sha256", hex)) < 0)
                return su_fail_oom(err);
        return write_target_file(workspace, target, hex, err);
}

int su_repository_publish(const struct su_workspace *workspace, const struct su_new_target *targets,
                          size_t n_targets, struct su_error *err)
{
        su_auto_metadata struct su_metadata timestamp = {0};
        su_auto_metadata struct su_metadata present = {0};
        su_auto_json json_t *all = NULL;
        json_t *object;
        int r;

        r = su_repository_metadata(workspace, SU_ROLE_TIMESTAMP, &timestamp, err);
        if (r >= 0)
                r = su_repository_metadata(workspace, SU_ROLE_TARGETS, &present, err);
        if (r >= 0)
                r = su_json_get_object(present.signed_part, "targets", &object, err);
        if (r < 0)
                return r;
        all = json_deep_copy(object);
        if (!all)
                return su_fail_oom(err);
        for (size_t i = 0; i < n_targets; i++) {
                r = add_target(workspace, all, &targets[i], err);
                if (r < 0)
                        return r;
        }
        return write_chain(workspace, timestamp.version + 1, all, err);
}

static int read_target(const struct su_workspace *workspace, const char *path, char **ret_text,
                       size_t *ret_size, struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        su_auto_free char *file = NULL;
        const char *slash = strrchr(path, '/');
        json_t *targets;
        json_t *entry;
        json_t *hashes;
        const char *hex;
        int r;

        r = su_repository_metadata(workspace, SU_ROLE_TARGETS, &metadata, err);
        if (r >= 0)
                r = su_json_get_object(metadata.signed_part, "targets", &targets, err);
        if (r < 0)
                return r;
        entry = json_object_get(targets, path);
        if (!entry)
                return su_fail(err, SU_ERROR_NOT_FOUND, "'%s' is not published", path);
        r = su_json_get_object(entry, "hashes", &hashes, err);
        if (r >= 0)
                r = su_json_get_string(hashes, "sha256", &hex, err);
        if (r >= 0)
                r = su_format(&file, err, "public/targets/%.*s/%s.%s", (int)(slash - path), path,
                              hex, slash + 1);
        if (r < 0)
                return r;
        return su_file_read(workspace->fd, file, METADATA_SIZE_MAX, ret_text, ret_size, err);
}

int su_repository_channel(const struct su_workspace *workspace, const char *baseline,
                          struct su_channel *ret, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_channel_target(baseline, &path, err);
        if (r >= 0)
                r = read_target(workspace, path, &text, &size, err);
        if (r >= 0)
                r = su_channel_parse(text, size, ret, err);
        return r;
}

int su_repository_manifest(const struct su_workspace *workspace, const char *baseline,
                           const struct su_level *level, struct su_manifest *ret,
                           struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_manifest_target(baseline, level, &path, err);
        if (r >= 0)
                r = read_target(workspace, path, &text, &size, err);
        if (r >= 0)
                r = su_manifest_parse(text, size, ret, err);
        return r;
}

int su_repository_add_object(const struct su_workspace *workspace, int from_fd,
                             const struct su_object *object, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        su_auto_close int dir_fd = -EBADF;
        su_auto_close int in_fd = -EBADF;
        su_auto_close int out_fd = -EBADF;
        su_auto_free char *directory = NULL;
        int r;

        su_hex_encode(object->sha256.bytes, sizeof object->sha256.bytes, hex);
        r = su_format(&directory, err, "public/objects/%.2s", hex);
        if (r >= 0)
                r = su_dir_make(workspace->fd, directory, 0755, &dir_fd, err);
        if (r < 0)
                return r;
        if (faccessat(dir_fd, hex, F_OK, 0) == 0)
                return 0;
        in_fd = openat(from_fd, hex, O_RDONLY | O_CLOEXEC);
        if (in_fd < 0)
                return su_fail_errno(err, errno, "cannot open object %s", hex);
        out_fd = openat(dir_fd, "partial", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (out_fd < 0)
                return su_fail_errno(err, errno, "cannot create object %s", hex);
        r = su_copy_all(in_fd, out_fd, hex, err);
        if (r >= 0)
                r = su_file_publish(dir_fd, out_fd, "partial", hex, err);
        return r;
}
