#include "trust/metadata.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static const char *const role_names[SU_ROLES] = {
        [SU_ROLE_ROOT] = "root",
        [SU_ROLE_TIMESTAMP] = "timestamp",
        [SU_ROLE_SNAPSHOT] = "snapshot",
        [SU_ROLE_TARGETS] = "targets",
};

const char *su_role_name(enum su_role role)
{
        return role_names[role];
}

static int check_spec_version(const json_t *signed_part, struct su_error *err)
{
        const char *version;
        int r;

        r = su_json_get_string(signed_part, "spec_version", &version, err);
        if (r < 0)
                return r;
        if (!su_starts_with(version, "1."))
                return su_fail(err, SU_ERROR_UNSUPPORTED, "TUF version %s is not known", version);
        return 0;
}

static int read_head(struct su_metadata *metadata, struct su_error *err)
{
        const char *type;
        const char *expires;
        int r;

        r = su_json_get_object(metadata->document, "signed", &metadata->signed_part, err);
        if (r >= 0)
                r = su_json_get_string(metadata->signed_part, "_type", &type, err);
        if (r < 0)
                return r;
        if (strcmp(type, su_role_name(metadata->role)) != 0)
                return su_fail(err, SU_ERROR_FORMAT, "its type is '%s'", type);
        r = check_spec_version(metadata->signed_part, err);
        if (r >= 0)
                r = su_json_get_integer(metadata->signed_part, "version", 1, INT64_MAX,
                                        &metadata->version, err);
        if (r >= 0)
                r = su_json_get_string(metadata->signed_part, "expires", &expires, err);
        if (r < 0)
                return r;
        if (!su_time_parse(expires, &metadata->expires))
                return su_fail(err, SU_ERROR_FORMAT, "field 'expires' is not a time: '%s'",
                               expires);
        return 0;
}

int su_metadata_parse(enum su_role role, const char *text, size_t size, struct su_metadata *ret,
                      struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {.role = role};
        int r;

        r = su_json_parse(text, size, &metadata.document, err);
        if (r >= 0 && !json_is_object(metadata.document))
                r = su_fail(err, SU_ERROR_FORMAT, "it is not an object");
        if (r >= 0)
                r = read_head(&metadata, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s metadata", su_role_name(role));
        *ret = metadata;
        metadata = (struct su_metadata){0};
        return 0;
}

void su_metadata_done(struct su_metadata *metadata)
{
        json_decref(metadata->document);
        *metadata = (struct su_metadata){0};
}

static int find_key(const struct su_root *root, const struct su_role_keys *keys, const char *id)
{
        struct su_sha256 digest;

        if (!su_hex_decode(id, digest.bytes, sizeof digest.bytes))
                return -1;
        for (size_t i = 0; i < keys->n_keys; i++)
                if (su_sha256_equal(&root->keys[keys->keys[i]].id, &digest))
                        return (int)keys->keys[i];
        return -1;
}

/* Two key ids may carry the same key: it counts once. */
static bool is_counted(const struct su_root *root, const size_t *counted, size_t n_counted,
                       size_t key)
{
        for (size_t i = 0; i < n_counted; i++)
                if (memcmp(&root->keys[counted[i]].key, &root->keys[key].key,
                           sizeof root->keys[key].key) == 0)
                        return true;
        return false;
}

/* A key id may stand once in "signatures" (section 4.2.1). */
static int check_unique_ids(json_t *signatures, struct su_error *err)
{
        if (json_array_size(signatures) > SU_KEYS_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "it has more than %d signatures", SU_KEYS_MAX);
        for (size_t i = 0; i < json_array_size(signatures); i++) {
                const char *id;
                int r;

                r = su_json_get_string(json_array_get(signatures, i), "keyid", &id, err);
                if (r < 0)
                        return r;
                for (size_t j = 0; j < i; j++)
                        if (strcmp(id, json_string_value(json_object_get(
                                               json_array_get(signatures, j), "keyid"))) == 0)
                                return su_fail(err, SU_ERROR_FORMAT,
                                               "two signatures have the key id %s", id);
        }
        return 0;
}

static int count_signatures(const struct su_metadata *metadata, json_t *signatures,
                            const struct su_root *root, size_t *ret, struct su_error *err)
{
        const struct su_role_keys *keys = &root->roles[metadata->role];
        su_auto_free char *text = NULL;
        size_t counted[SU_KEYS_MAX];
        size_t n_counted = 0;
        size_t size;
        json_t *entry;
        size_t i;
        int r;

        r = su_json_canonical(metadata->signed_part, &text, &size, err);
        if (r < 0)
                return r;
        json_array_foreach (signatures, i, entry) {
                struct su_signature signature;
                int key = find_key(root, keys, json_string_value(json_object_get(entry, "keyid")));

                if (key < 0 || is_counted(root, counted, n_counted, (size_t)key))
                        continue;
                if (su_json_get_hex(entry, "sig", signature.bytes, sizeof signature.bytes, NULL) <
                    0)
                        continue;
                if (su_signature_is_valid(&root->keys[key].key, text, size, &signature))
                        counted[n_counted++] = (size_t)key;
        }
        *ret = n_counted;
        return 0;
}

int su_metadata_verify(const struct su_metadata *metadata, const struct su_root *root,
                       struct su_error *err)
{
        json_t *signatures;
        size_t count;
        int r;

        r = su_json_get_array(metadata->document, "signatures", &signatures, err);
        if (r >= 0)
                r = check_unique_ids(signatures, err);
        if (r >= 0)
                r = count_signatures(metadata, signatures, root, &count, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s metadata", su_role_name(metadata->role));
        if (count < root->roles[metadata->role].threshold)
                return su_fail(err, SU_ERROR_SIGNATURE,
                               "%s metadata is not signed by enough trusted keys: %zu of %zu",
                               su_role_name(metadata->role), count,
                               root->roles[metadata->role].threshold);
        return 0;
}

/* A key of another type than Ed25519 is skipped: it cannot count towards a threshold here. */
static int read_key(const char *id, json_t *object, struct su_root *root, struct su_error *err)
{
        struct su_trust_key *key = &root->keys[root->n_keys];
        su_auto_free char *canonical = NULL;
        struct su_sha256 digest;
        const char *scheme;
        json_t *value;
        size_t size;
        int r;

        if (root->n_keys == SU_KEYS_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "it has more than %d keys", SU_KEYS_MAX);
        r = su_json_get_string(object, "scheme", &scheme, err);
        if (r < 0)
                return r;
        if (strcmp(scheme, "ed25519") != 0)
                return 0;
        r = su_json_get_object(object, "keyval", &value, err);
        if (r >= 0)
                r = su_json_get_hex(value, "public", key->key.bytes, sizeof key->key.bytes, err);
        if (r >= 0)
                r = su_json_canonical(object, &canonical, &size, err);
        if (r >= 0)
                r = su_sha256_of(canonical, size, &digest, err);
        if (r < 0)
                return r;
        if (!su_hex_decode(id, key->id.bytes, sizeof key->id.bytes) ||
            !su_sha256_equal(&key->id, &digest))
                return su_fail(err, SU_ERROR_FORMAT, "key id %s is not that of its key", id);
        root->n_keys++;
        return 0;
}

static int read_role(json_t *roles, enum su_role role, struct su_root *root, struct su_error *err)
{
        struct su_role_keys *keys = &root->roles[role];
        int64_t threshold;
        json_t *object;
        json_t *ids;
        json_t *id;
        size_t i;
        int r;

        r = su_json_get_object(roles, su_role_name(role), &object, err);
        if (r >= 0)
                r = su_json_get_integer(object, "threshold", 1, SU_KEYS_MAX, &threshold, err);
        if (r >= 0)
                r = su_json_get_array(object, "keyids", &ids, err);
        if (r < 0)
                return r;
        keys->threshold = (size_t)threshold;
        json_array_foreach (ids, i, id) {
                struct su_sha256 digest;

                if (!json_is_string(id) ||
                    !su_hex_decode(json_string_value(id), digest.bytes, sizeof digest.bytes))
                        return su_fail(err, SU_ERROR_FORMAT, "role '%s' has a malformed key id",
                                       su_role_name(role));
                for (size_t k = 0; k < root->n_keys && keys->n_keys < SU_KEYS_MAX; k++)
                        if (su_sha256_equal(&root->keys[k].id, &digest))
                                keys->keys[keys->n_keys++] = k;
        }
        return 0;
}

static int read_root(const struct su_metadata *metadata, struct su_root *root, struct su_error *err)
{
        json_t *keys;
        json_t *roles;
        json_t *key;
        const char *id;
        int r;

        r = su_json_get_object(metadata->signed_part, "keys", &keys, err);
        if (r >= 0)
                r = su_json_get_object(metadata->signed_part, "roles", &roles, err);
        if (r < 0)
                return r;
        if (!json_is_true(json_object_get(metadata->signed_part, "consistent_snapshot")))
                return su_fail(err, SU_ERROR_UNSUPPORTED,
                               "repositories without consistent snapshots are not supported");
        json_object_foreach (keys, id, key) {
                r = read_key(id, key, root, err);
                if (r < 0)
                        return r;
        }
        for (enum su_role role = 0; role < SU_ROLES; role++) {
                r = read_role(roles, role, root, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int su_root_read(const struct su_metadata *metadata, struct su_root *ret, struct su_error *err)
{
        struct su_root root = {0};
        int r;

        r = read_root(metadata, &root, err);
        if (r < 0)
                return su_fail_prefix(err, r, "root metadata");
        *ret = root;
        return 0;
}

static int read_meta_entry(const json_t *entry, struct su_meta_entry *ret, struct su_error *err)
{
        struct su_meta_entry meta = {0};
        json_t *hashes;
        int r;

        r = su_json_get_integer(entry, "version", 1, INT64_MAX, &meta.version, err);
        if (r < 0)
                return r;
        if (json_object_get(entry, "length")) {
                r = su_json_get_integer(entry, "length", 1, INT64_MAX, &meta.length, err);
                if (r < 0)
                        return r;
                meta.has_length = true;
        }
        r = su_json_find_object(entry, "hashes", &hashes, err);
        if (r < 0)
                return r;
        if (hashes) {
                r = su_json_get_hex(hashes, "sha256", meta.sha256.bytes, sizeof meta.sha256.bytes,
                                    err);
                if (r < 0)
                        return r;
                meta.has_sha256 = true;
        }
        *ret = meta;
        return 0;
}

int su_meta_entry_read(const struct su_metadata *metadata, const char *name,
                       struct su_meta_entry *ret, struct su_error *err)
{
        json_t *meta;
        json_t *entry;
        int r;

        r = su_json_get_object(metadata->signed_part, "meta", &meta, err);
        if (r >= 0)
                r = su_json_get_object(meta, name, &entry, err);
        if (r >= 0)
                r = read_meta_entry(entry, ret, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s metadata", su_role_name(metadata->role));
        return 0;
}
