#include "trust/client.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "trust/metadata.h"

/* The sizes that are asked for before anything better is known, as in the reference clients. */
#define ROOT_SIZE_MAX 512000
#define TIMESTAMP_SIZE_MAX 16384
#define SNAPSHOT_SIZE_MAX 2000000
#define TARGETS_SIZE_MAX 5000000
#define ROOT_ROTATIONS_MAX 256

static const size_t role_size_max[SU_ROLES] = {
        [SU_ROLE_ROOT] = ROOT_SIZE_MAX,
        [SU_ROLE_TIMESTAMP] = TIMESTAMP_SIZE_MAX,
        [SU_ROLE_SNAPSHOT] = SNAPSHOT_SIZE_MAX,
        [SU_ROLE_TARGETS] = TARGETS_SIZE_MAX,
};

struct su_trust {
        int metadata_fd;
        struct su_root root;
        struct su_metadata roles[SU_ROLES]; /* document NULL: nothing trusted yet */
};

static int file_name(enum su_role role, char **ret, struct su_error *err)
{
        return su_format(ret, err, "%s.json", su_role_name(role));
}

static int store(const struct su_trust *trust, enum su_role role, const char *text, size_t size,
                 struct su_error *err)
{
        su_auto_free char *name = NULL;
        int r;

        r = file_name(role, &name, err);
        if (r < 0)
                return r;
        return su_file_write(trust->metadata_fd, name, text, size, 0644, err);
}

static void adopt(struct su_trust *trust, struct su_metadata *metadata)
{
        su_metadata_done(&trust->roles[metadata->role]);
        trust->roles[metadata->role] = *metadata;
        *metadata = (struct su_metadata){0};
}

int su_trust_init(int metadata_fd, const char *root, size_t size, struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        struct su_root keys;
        int r;

        if (faccessat(metadata_fd, "root.json", F_OK, 0) == 0)
                return 0;
        r = su_metadata_parse(SU_ROLE_ROOT, root, size, &metadata, err);
        if (r >= 0)
                r = su_root_read(&metadata, &keys, err);
        if (r >= 0)
                r = su_metadata_verify(&metadata, &keys, err);
        if (r < 0)
                return r;
        return su_file_write(metadata_fd, "root.json", root, size, 0644, err);
}

/* Stored metadata that no longer verifies only loses its say: it is fetched again. */
static int load_role(struct su_trust *trust, enum su_role role, struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        su_auto_free char *name = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = file_name(role, &name, err);
        if (r < 0)
                return r;
        r = su_file_read(trust->metadata_fd, name, role_size_max[role], &text, &size, err);
        if (r == -ENOENT && role != SU_ROLE_ROOT)
                return 0;
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_CONFIG, "the device has no trusted root yet");
        if (r < 0)
                return r;
        r = su_metadata_parse(role, text, size, &metadata, err);
        if (r >= 0 && role == SU_ROLE_ROOT)
                r = su_root_read(&metadata, &trust->root, err);
        if (r >= 0)
                r = su_metadata_verify(&metadata, &trust->root, err);
        if (r < 0)
                return role == SU_ROLE_ROOT ? su_fail_prefix(err, r, "the trusted '%s'", name) : 0;
        adopt(trust, &metadata);
        return 0;
}

int su_trust_open(int metadata_fd, struct su_trust **ret, struct su_error *err)
{
        su_auto_trust struct su_trust *trust = calloc(1, sizeof *trust);
        int r = 0;

        if (!trust)
                return su_fail_oom(err);
        trust->metadata_fd = metadata_fd;
        for (enum su_role role = 0; role < SU_ROLES && r >= 0; role++)
                r = load_role(trust, role, err);
        if (r < 0)
                return r;
        *ret = su_take(trust);
        return 0;
}

void su_trust_free(struct su_trust *trust)
{
        if (!trust)
                return;
        for (enum su_role role = 0; role < SU_ROLES; role++)
                su_metadata_done(&trust->roles[role]);
        free(trust);
}

/* Section 5.3.11: what the new root's keys did not sign has no say about versions any more; so new
 * keys recover from numbers that a thief of the old ones ran up. */
static void forget_unsigned(struct su_trust *trust)
{
        for (enum su_role role = 0; role < SU_ROLES; role++) {
                struct su_metadata *metadata = &trust->roles[role];

                if (metadata->document && su_metadata_verify(metadata, &trust->root, NULL) < 0)
                        su_metadata_done(metadata);
        }
}

/* Section 5.3: one new root, signed by the old threshold and by its own. -ENOENT: there is none. */
static int update_root_once(struct su_trust *trust, const struct su_transport *transport,
                            struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        int64_t next = trust->roles[SU_ROLE_ROOT].version + 1;
        struct su_root root;
        size_t size;
        int r;

        r = su_format(&path, err, "metadata/%lld.root.json", (long long)next);
        if (r < 0)
                return r;
        r = transport->get(transport->userdata, path, ROOT_SIZE_MAX, &text, &size, err);
        if (r >= 0)
                r = su_metadata_parse(SU_ROLE_ROOT, text, size, &metadata, err);
        if (r >= 0)
                r = su_metadata_verify(&metadata, &trust->root, err);
        if (r >= 0)
                r = su_root_read(&metadata, &root, err);
        if (r >= 0)
                r = su_metadata_verify(&metadata, &root, err);
        if (r < 0)
                return r;
        if (metadata.version != next)
                return su_fail(err, SU_ERROR_ROLLBACK, "'%s' calls itself version %lld", path,
                               (long long)metadata.version);
        r = store(trust, SU_ROLE_ROOT, text, size, err);
        if (r < 0)
                return r;
        trust->root = root;
        adopt(trust, &metadata);
        return 0;
}

static int update_root(struct su_trust *trust, const struct su_transport *transport,
                       struct su_error *err)
{
        for (int i = 0; i < ROOT_ROTATIONS_MAX; i++) {
                struct su_error here = {0};
                int r;

                r = update_root_once(trust, transport, &here);
                if (here.code == SU_ERROR_NOT_FOUND) {
                        forget_unsigned(trust);
                        return 0;
                }
                if (r < 0) {
                        if (err)
                                *err = here;
                        return r;
                }
        }
        return su_fail(err, SU_ERROR_FORMAT, "the repository has more than %d new roots",
                       ROOT_ROTATIONS_MAX);
}

static int check_expiry(const struct su_metadata *metadata, int64_t now, struct su_error *err)
{
        if (metadata->expires > now)
                return 0;
        return su_fail(err, SU_ERROR_EXPIRED, "%s metadata expired: %s",
                       su_role_name(metadata->role),
                       json_string_value(json_object_get(metadata->signed_part, "expires")));
}

static int check_bytes(const struct su_meta_entry *entry, const char *path, const char *text,
                       size_t size, struct su_error *err)
{
        struct su_sha256 digest;
        int r;

        if (entry->has_length && (int64_t)size != entry->length)
                return su_fail(err, SU_ERROR_TRUNCATED, "'%s' has %zu bytes instead of %lld", path,
                               size, (long long)entry->length);
        if (!entry->has_sha256)
                return 0;
        r = su_sha256_of(text, size, &digest, err);
        if (r < 0)
                return r;
        if (!su_sha256_equal(&digest, &entry->sha256))
                return su_fail(err, SU_ERROR_DIGEST,
                               "'%s' is damaged: its SHA-256 is not the signed one", path);
        return 0;
}

/* Sections 5.4.3, 5.5.5, 5.6.4: versions never go back; what a role vouches for neither. */
static int check_versions(const struct su_trust *trust, const struct su_metadata *metadata,
                          struct su_error *err)
{
        const struct su_metadata *old = &trust->roles[metadata->role];
        struct su_meta_entry old_entry;
        struct su_meta_entry new_entry;
        const char *next = metadata->role == SU_ROLE_TIMESTAMP ? "snapshot.json" : "targets.json";
        int r;

        if (!old->document)
                return 0;
        if (metadata->version < old->version)
                return su_fail(err, SU_ERROR_ROLLBACK,
                               "%s metadata went back from version %lld to %lld",
                               su_role_name(metadata->role), (long long)old->version,
                               (long long)metadata->version);
        if (metadata->role == SU_ROLE_TARGETS)
                return 0;
        r = su_meta_entry_read(old, next, &old_entry, err);
        if (r >= 0)
                r = su_meta_entry_read(metadata, next, &new_entry, err);
        if (r < 0)
                return r;
        if (new_entry.version < old_entry.version)
                return su_fail(err, SU_ERROR_ROLLBACK, "'%s' went back from version %lld to %lld",
                               next, (long long)old_entry.version, (long long)new_entry.version);
        return 0;
}

/* Fetch, check and store one of timestamp, snapshot, targets. `entry` is what the role above says
 * of it; NULL for the timestamp. */
static int update_role(struct su_trust *trust, const struct su_transport *transport,
                       enum su_role role, const char *path, const struct su_meta_entry *entry,
                       int64_t now, struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        size_t max = role_size_max[role];
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        if (entry && entry->has_length) {
                if ((uint64_t)entry->length > max)
                        return su_fail(err, SU_ERROR_TOO_LARGE, "'%s' is declared too large", path);
                max = (size_t)entry->length;
        }
        r = transport->get(transport->userdata, path, max, &text, &size, err);
        if (r >= 0 && entry)
                r = check_bytes(entry, path, text, size, err);
        if (r >= 0)
                r = su_metadata_parse(role, text, size, &metadata, err);
        if (r >= 0)
                r = su_metadata_verify(&metadata, &trust->root, err);
        if (r < 0)
                return r;
        if (entry && metadata.version != entry->version)
                return su_fail(err, SU_ERROR_ROLLBACK, "'%s' calls itself version %lld", path,
                               (long long)metadata.version);
        r = check_versions(trust, &metadata, err);
        if (r < 0)
                return r;
        if (trust->roles[role].document && metadata.version == trust->roles[role].version)
                return check_expiry(&trust->roles[role], now, err);
        r = check_expiry(&metadata, now, err);
        if (r < 0)
                return r;
        r = store(trust, role, text, size, err);
        if (r < 0)
                return r;
        adopt(trust, &metadata);
        return 0;
}

/* Snapshot or targets, as the role above names it; what is already here is not fetched again. */
static int follow(struct su_trust *trust, const struct su_transport *transport, enum su_role above,
                  enum su_role role, int64_t now, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *name = NULL;
        struct su_meta_entry entry;
        int r;

        r = file_name(role, &name, err);
        if (r >= 0)
                r = su_meta_entry_read(&trust->roles[above], name, &entry, err);
        if (r < 0)
                return r;
        if (trust->roles[role].document && trust->roles[role].version == entry.version)
                return check_expiry(&trust->roles[role], now, err);
        r = su_format(&path, err, "metadata/%lld.%s", (long long)entry.version, name);
        if (r < 0)
                return r;
        return update_role(trust, transport, role, path, &entry, now, err);
}

int su_trust_refresh(struct su_trust *trust, const struct su_transport *transport, int64_t now,
                     struct su_error *err)
{
        int r;

        r = update_root(trust, transport, err);
        if (r >= 0)
                r = check_expiry(&trust->roles[SU_ROLE_ROOT], now, err);
        if (r >= 0)
                r = update_role(trust, transport, SU_ROLE_TIMESTAMP, "metadata/timestamp.json",
                                NULL, now, err);
        if (r >= 0)
                r = follow(trust, transport, SU_ROLE_TIMESTAMP, SU_ROLE_SNAPSHOT, now, err);
        if (r >= 0)
                r = follow(trust, transport, SU_ROLE_SNAPSHOT, SU_ROLE_TARGETS, now, err);
        return r;
}

int su_trust_find(const struct su_trust *trust, const char *path, struct su_target *ret,
                  struct su_error *err)
{
        const struct su_metadata *targets = &trust->roles[SU_ROLE_TARGETS];
        struct su_target target;
        json_t *object;
        json_t *hashes;
        json_t *entry;
        int64_t size;
        int r;

        if (!targets->document)
                return su_fail(err, SU_ERROR_NOT_FOUND, "no targets metadata is trusted yet");
        r = su_json_get_object(targets->signed_part, "targets", &object, err);
        if (r < 0)
                return su_fail_prefix(err, r, "targets metadata");
        entry = json_object_get(object, path);
        if (!entry)
                return su_fail(err, SU_ERROR_NOT_FOUND, "the repository signs no target '%s'",
                               path);
        r = su_json_get_integer(entry, "length", 0, INT64_MAX, &size, err);
        if (r >= 0)
                r = su_json_get_object(entry, "hashes", &hashes, err);
        if (r >= 0)
                r = su_json_get_hex(hashes, "sha256", target.sha256.bytes,
                                    sizeof target.sha256.bytes, err);
        if (r < 0)
                return su_fail_prefix(err, r, "targets metadata: '%s'", path);
        target.size = (uint64_t)size;
        *ret = target;
        return 0;
}

/* Consistent snapshots (section 5.7.2): targets/DIR/SHA256.NAME. */
static int target_file_path(const char *path, const struct su_sha256 *digest, char **ret,
                            struct su_error *err)
{
        const char *slash = strrchr(path, '/');
        int directory_size = slash ? (int)(slash + 1 - path) : 0;
        char hex[SU_SHA256_HEX_SIZE];

        su_hex_encode(digest->bytes, sizeof digest->bytes, hex);
        return su_format(ret, err, "targets/%.*s%s.%s", directory_size, path, hex,
                         path + directory_size);
}

int su_trust_get(const struct su_trust *trust, const struct su_transport *transport,
                 const char *path, size_t max, char **ret_data, size_t *ret_size,
                 struct su_error *err)
{
        struct su_meta_entry entry = {.has_length = true, .has_sha256 = true};
        su_auto_free char *file_path = NULL;
        su_auto_free char *data = NULL;
        struct su_target target;
        size_t size;
        int r;

        r = su_trust_find(trust, path, &target, err);
        if (r < 0)
                return r;
        if (target.size > max)
                return su_fail(err, SU_ERROR_TOO_LARGE, "target '%s' is declared too large", path);
        entry.length = (int64_t)target.size;
        entry.sha256 = target.sha256;
        r = target_file_path(path, &target.sha256, &file_path, err);
        if (r >= 0)
                r = transport->get(transport->userdata, file_path, target.size, &data, &size, err);
        if (r >= 0)
                r = check_bytes(&entry, file_path, data, size, err);
        if (r < 0)
                return r;
        *ret_data = su_take(data);
        *ret_size = size;
        return 0;
}
