#include "trust/meta.h"

int su_hashes_read(const json_t *object, struct su_hashes *ret, struct su_error *err)
{
        struct su_hashes hashes = {0};
        int r = 0;

        if (json_object_get(object, "sha256")) {
                r = su_json_get_hex(object, "sha256", hashes.sha256.bytes,
                                    sizeof hashes.sha256.bytes, err);
                hashes.has_sha256 = true;
        }
        if (r >= 0 && json_object_get(object, "sha512")) {
                r = su_json_get_hex(object, "sha512", hashes.sha512.bytes,
                                    sizeof hashes.sha512.bytes, err);
                hashes.has_sha512 = true;
        }
        if (r < 0)
                return r;
        if (!hashes.has_sha256 && !hashes.has_sha512)
                return su_fail(err, SU_ERROR_UNSUPPORTED,
                               "its digests are neither SHA-256 nor SHA-512");
        *ret = hashes;
        return 0;
}

static int compare(const struct su_hashes *hashes, const struct su_sha256 *sha256,
                   const struct su_sha512 *sha512, const char *what, struct su_error *err)
{
        if (hashes->has_sha256 && !su_sha256_equal(&hashes->sha256, sha256))
                return su_fail(err, SU_ERROR_DIGEST,
                               "'%s' is damaged: its SHA-256 is not the signed one", what);
        if (hashes->has_sha512 && !su_sha512_equal(&hashes->sha512, sha512))
                return su_fail(err, SU_ERROR_DIGEST,
                               "'%s' is damaged: its SHA-512 is not the signed one", what);
        return 0;
}

int su_hashes_check(const struct su_hashes *hashes, const char *what, const void *data, size_t size,
                    struct su_error *err)
{
        struct su_sha256 sha256;
        struct su_sha512 sha512;
        int r = 0;

        if (hashes->has_sha256)
                r = su_sha256_of(data, size, &sha256, err);
        if (r >= 0 && hashes->has_sha512)
                r = su_sha512_of(data, size, &sha512, err);
        return r < 0 ? r : compare(hashes, &sha256, &sha512, what, err);
}

int su_hashes_check_fd(const struct su_hashes *hashes, const char *what, int fd,
                       struct su_error *err)
{
        struct su_sha256 sha256;
        struct su_sha512 sha512;
        int r = 0;

        if (hashes->has_sha256)
                r = su_sha256_of_fd(fd, what, &sha256, NULL, err);
        if (r >= 0 && hashes->has_sha512)
                r = su_sha512_of_fd(fd, what, &sha512, err);
        return r < 0 ? r : compare(hashes, &sha256, &sha512, what, err);
}

static int read_entry(const json_t *object, struct su_meta_entry *ret, struct su_error *err)
{
        struct su_meta_entry entry = {0};
        json_t *hashes;
        int r;

        r = su_json_get_integer(object, "version", 1, INT64_MAX, &entry.version, err);
        if (r >= 0 && json_object_get(object, "length")) {
                r = su_json_get_integer(object, "length", 1, INT64_MAX, &entry.length, err);
                entry.has_length = true;
        }
        if (r >= 0)
                r = su_json_find_object(object, "hashes", &hashes, err);
        if (r >= 0 && hashes) {
                r = su_hashes_read(hashes, &entry.hashes, err);
                entry.has_hashes = true;
        }
        if (r < 0)
                return r;
        *ret = entry;
        return 0;
}

int su_meta_entry_read(const struct su_metadata *metadata, const char *name,
                       struct su_meta_entry *ret, struct su_error *err)
{
        json_t *meta;
        json_t *object;
        int r;

        r = su_json_get_object(metadata->signed_part, "meta", &meta, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s metadata", su_role_name(metadata->type));
        object = json_object_get(meta, name);
        if (!object)
                return su_fail(err, SU_ERROR_NOT_FOUND, "%s metadata does not list '%s'",
                               su_role_name(metadata->type), name);
        r = read_entry(object, ret, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s metadata, '%s'", su_role_name(metadata->type),
                                      name);
        return 0;
}

int su_meta_check_all(const struct su_metadata *metadata, const char *name, struct su_error *err)
{
        struct su_meta_entry entry;
        const char *each;
        json_t *meta;
        json_t *object;
        int r;

        r = su_json_get_object(metadata->signed_part, "meta", &meta, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s metadata", su_role_name(metadata->type));
        if (!json_object_get(meta, name))
                return su_fail(err, SU_ERROR_FORMAT, "%s metadata does not list '%s'",
                               su_role_name(metadata->type), name);
        json_object_foreach (meta, each, object) {
                r = read_entry(object, &entry, err);
                if (r < 0)
                        return su_fail_prefix(err, r, "%s metadata, '%s'",
                                              su_role_name(metadata->type), each);
        }
        return 0;
}

int su_meta_entry_check(const struct su_meta_entry *entry, const char *what, const void *data,
                        size_t size, struct su_error *err)
{
        if (entry->has_length && (int64_t)size != entry->length)
                return su_fail(err, SU_ERROR_TRUNCATED, "'%s' has %zu bytes instead of %lld", what,
                               size, (long long)entry->length);
        if (!entry->has_hashes)
                return 0;
        return su_hashes_check(&entry->hashes, what, data, size, err);
}

int su_meta_check_rollback(const struct su_metadata *old, const struct su_metadata *new,
                           struct su_error *err)
{
        const char *name;
        json_t *meta;
        json_t *object;
        int r;

        r = su_json_get_object(old->signed_part, "meta", &meta, err);
        if (r < 0)
                return r;
        json_object_foreach (meta, name, object) {
                struct su_meta_entry before;
                struct su_meta_entry after;

                r = su_meta_entry_read(old, name, &before, err);
                if (r >= 0)
                        r = su_meta_entry_read(new, name, &after, err);
                if (r == -ENOENT)
                        return su_fail(err, SU_ERROR_ROLLBACK, "'%s' has gone from %s metadata",
                                       name, su_role_name(new->type));
                if (r < 0)
                        return r;
                if (after.version < before.version)
                        return su_fail(err, SU_ERROR_ROLLBACK,
                                       "'%s' went back from version %lld to %lld", name,
                                       (long long)before.version, (long long)after.version);
        }
        return 0;
}
