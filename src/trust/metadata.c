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
        if (strcmp(type, su_role_name(metadata->type)) != 0)
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

/* A key id may stand once in "signatures" (section 4.2.1). */
static int check_signatures(const json_t *document, struct su_error *err)
{
        json_t *signatures;
        size_t n;
        int r;

        r = su_json_get_array(document, "signatures", &signatures, err);
        if (r < 0)
                return r;
        n = json_array_size(signatures);
        if (n > SU_SIGNATURES_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "it has more than %d signatures",
                               SU_SIGNATURES_MAX);
        for (size_t i = 0; i < n; i++) {
                const char *id;

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

int su_metadata_parse(enum su_role type, const char *name, const char *text, size_t size,
                      struct su_metadata *ret, struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {.type = type};
        int r;

        r = su_json_parse_bounded(text, size, SU_METADATA_VALUES_MAX, &metadata.document, err);
        if (r >= 0 && !json_is_object(metadata.document))
                r = su_fail(err, SU_ERROR_FORMAT, "it is not an object");
        if (r >= 0)
                r = read_head(&metadata, err);
        if (r >= 0)
                r = check_signatures(metadata.document, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s metadata", name);
        *ret = metadata;
        metadata = (struct su_metadata){0};
        return 0;
}

void su_metadata_done(struct su_metadata *metadata)
{
        json_decref(metadata->document);
        *metadata = (struct su_metadata){0};
}

/* The signature that says it is by key `id`; false when there is none that could be one. */
static bool find_signature(const json_t *signatures, const struct su_sha256 *id,
                           struct su_signature *ret)
{
        char hex[SU_SHA256_HEX_SIZE];
        json_t *entry;
        size_t i;

        su_hex_encode(id->bytes, sizeof id->bytes, hex);
        json_array_foreach (signatures, i, entry) {
                const char *text = json_string_value(json_object_get(entry, "sig"));
                size_t size = text ? strlen(text) / 2 : 0;

                if (strcmp(json_string_value(json_object_get(entry, "keyid")), hex) != 0)
                        continue;
                ret->size = size;
                return size > 0 && size <= sizeof ret->bytes &&
                       su_hex_decode(text, ret->bytes, size);
        }
        return false;
}

/* Two key ids may carry the same key: it counts once. */
static bool is_counted(const struct su_trust_keys *keys, const struct su_signers *signers,
                       const size_t *counted, size_t n_counted, const struct su_trust_key *key)
{
        for (size_t i = 0; i < n_counted; i++)
                if (su_public_key_equal(su_trust_keys_find(keys, &signers->ids[counted[i]])->key,
                                        key->key))
                        return true;
        return false;
}

int su_metadata_signed_by(const struct su_metadata *metadata, const struct su_trust_keys *keys,
                          const struct su_signers *signers, size_t *ret, struct su_error *err)
{
        const json_t *signatures = json_object_get(metadata->document, "signatures");
        su_auto_free char *text = NULL;
        size_t n_counted = 0;
        size_t size;
        int r;

        r = su_json_canonical(metadata->signed_part, &text, &size, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < signers->n_ids; i++) {
                const struct su_trust_key *key = su_trust_keys_find(keys, &signers->ids[i]);
                struct su_signature signature;

                if (key && find_signature(signatures, &key->id, &signature) &&
                    !is_counted(keys, signers, ret, n_counted, key) &&
                    su_signature_is_valid(key->key, text, size, &signature))
                        ret[n_counted++] = i;
        }
        return (int)n_counted;
}

int su_metadata_verify(const struct su_metadata *metadata, const char *name,
                       const struct su_trust_keys *keys, const struct su_signers *signers,
                       struct su_error *err)
{
        su_auto_free size_t *counted = calloc(signers->n_ids + 1, sizeof *counted);
        int count;

        if (!counted)
                return su_fail_oom(err);
        count = su_metadata_signed_by(metadata, keys, signers, counted, err);
        if (count < 0)
                return su_fail_prefix(err, count, "%s metadata", name);
        if ((size_t)count < signers->threshold)
                return su_fail(err, SU_ERROR_SIGNATURE,
                               "%s metadata is not signed by enough trusted keys: %d of %zu", name,
                               count, signers->threshold);
        return 0;
}
