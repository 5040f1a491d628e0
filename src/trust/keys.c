#include "trust/keys.h"

#include <string.h>

#include "base/text.h"

static const struct {
        enum su_key_type type;
        const char *scheme;
        const char *keytype;
        const char *older_keytype; /* may be NULL */
} schemes[] = {
        {SU_KEY_ED25519, "ed25519", "ed25519", NULL},
        {SU_KEY_ECDSA_P256, "ecdsa-sha2-nistp256", "ecdsa", "ecdsa-sha2-nistp256"},
        {SU_KEY_RSA_PSS, "rsassa-pss-sha256", "rsa", NULL},
};

static bool find_type(const char *keytype, const char *scheme, enum su_key_type *ret)
{
        for (size_t i = 0; i < SU_ELEMENTS(schemes); i++)
                if (strcmp(scheme, schemes[i].scheme) == 0 &&
                    (strcmp(keytype, schemes[i].keytype) == 0 ||
                     (schemes[i].older_keytype &&
                      strcmp(keytype, schemes[i].older_keytype) == 0))) {
                        *ret = schemes[i].type;
                        return true;
                }
        return false;
}

static int object_id(const json_t *object, struct su_sha256 *ret, struct su_error *err)
{
        su_auto_free char *canonical = NULL;
        size_t size;
        int r;

        r = su_json_canonical(object, &canonical, &size, err);
        if (r >= 0)
                r = su_sha256_of(canonical, size, ret, err);
        return r;
}

static int check_id(const char *id, const json_t *object, struct su_sha256 *ret,
                    struct su_error *err)
{
        struct su_sha256 said;
        int r;

        r = object_id(object, ret, err);
        if (r < 0)
                return r;
        if (!su_hex_decode(id, said.bytes, sizeof said.bytes) || !su_sha256_equal(&said, ret))
                return su_fail(err, SU_ERROR_FORMAT, "key id %s is not that of its key", id);
        return 0;
}

static int read_public(enum su_key_type type, const json_t *value, struct su_public_key **ret,
                       struct su_error *err)
{
        su_auto_public_key struct su_public_key *key = NULL;
        uint8_t raw[SU_ED25519_PUBLIC_SIZE];
        const char *text;
        int r;

        if (type == SU_KEY_ED25519) {
                r = su_json_get_hex(value, "public", raw, sizeof raw, err);
                return r < 0 ? r : su_public_key_from_ed25519(raw, ret, err);
        }
        r = su_json_get_string(value, "public", &text, err);
        if (r >= 0)
                r = su_public_key_from_pem(text, strlen(text), &key, err);
        if (r < 0)
                return r;
        if (su_public_key_type(key) != type)
                return su_fail(err, SU_ERROR_FORMAT, "a key is not of the type that it claims");
        *ret = su_take(key);
        return 0;
}

static int read_key(const char *id, json_t *object, struct su_trust_keys *keys,
                    struct su_error *err)
{
        struct su_trust_key key = {0};
        const char *keytype;
        const char *scheme;
        enum su_key_type type;
        json_t *value;
        int r;

        r = check_id(id, object, &key.id, err);
        if (r >= 0)
                r = su_json_get_string(object, "keytype", &keytype, err);
        if (r >= 0)
                r = su_json_get_string(object, "scheme", &scheme, err);
        if (r >= 0)
                r = su_json_get_object(object, "keyval", &value, err);
        if (r < 0)
                return r;
        if (!find_type(keytype, scheme, &type))
                return 0;
        r = read_public(type, value, &key.key, err);
        if (r < 0)
                return r;
        keys->keys[keys->n_keys++] = key;
        return 0;
}

int su_trust_keys_read(json_t *object, struct su_trust_keys *ret, struct su_error *err)
{
        struct su_trust_keys keys = {0};
        const char *id;
        json_t *key;

        if (json_object_size(object) > SU_KEYS_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "it has more than %d keys", SU_KEYS_MAX);
        keys.keys = calloc(json_object_size(object) + 1, sizeof *keys.keys);
        if (!keys.keys)
                return su_fail_oom(err);
        json_object_foreach (object, id, key) {
                int r = read_key(id, key, &keys, err);

                if (r < 0) {
                        su_trust_keys_done(&keys);
                        return r;
                }
        }
        *ret = keys;
        return 0;
}

const struct su_trust_key *su_trust_keys_find(const struct su_trust_keys *keys,
                                              const struct su_sha256 *id)
{
        for (size_t i = 0; i < keys->n_keys; i++)
                if (su_sha256_equal(&keys->keys[i].id, id))
                        return &keys->keys[i];
        return NULL;
}

void su_trust_keys_done(struct su_trust_keys *keys)
{
        for (size_t i = 0; i < keys->n_keys; i++)
                su_public_key_free(keys->keys[i].key);
        free(keys->keys);
        *keys = (struct su_trust_keys){0};
}

int su_signers_read(const json_t *object, struct su_signers *ret, struct su_error *err)
{
        struct su_signers signers = {0};
        int64_t threshold;
        json_t *ids;
        json_t *id;
        size_t i;
        int r;

        r = su_json_get_integer(object, "threshold", 1, SU_KEYS_MAX, &threshold, err);
        if (r >= 0)
                r = su_json_get_array(object, "keyids", &ids, err);
        if (r < 0)
                return r;
        if (json_array_size(ids) > SU_KEYS_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "it has more than %d key ids", SU_KEYS_MAX);
        signers.threshold = (size_t)threshold;
        signers.ids = calloc(json_array_size(ids) + 1, sizeof *signers.ids);
        if (!signers.ids)
                return su_fail_oom(err);
        json_array_foreach (ids, i, id) {
                if (!json_is_string(id) ||
                    !su_hex_decode(json_string_value(id), signers.ids[i].bytes,
                                   sizeof signers.ids[i].bytes)) {
                        su_signers_done(&signers);
                        return su_fail(err, SU_ERROR_FORMAT, "a key id is malformed");
                }
                signers.n_ids++;
        }
        *ret = signers;
        return 0;
}

bool su_signers_equal(const struct su_signers *a, const struct su_signers *b)
{
        if (a->threshold != b->threshold || a->n_ids != b->n_ids)
                return false;
        for (size_t i = 0; i < a->n_ids; i++)
                if (!su_sha256_equal(&a->ids[i], &b->ids[i]))
                        return false;
        return true;
}

void su_signers_done(struct su_signers *signers)
{
        free(signers->ids);
        *signers = (struct su_signers){0};
}

static int public_text(const struct su_public_key *key, char **ret, struct su_error *err)
{
        uint8_t raw[SU_ED25519_PUBLIC_SIZE];
        char hex[2 * sizeof raw + 1];
        int r;

        if (su_public_key_type(key) != SU_KEY_ED25519)
                return su_public_key_pem(key, ret, err);
        r = su_public_key_ed25519(key, raw, err);
        if (r < 0)
                return r;
        su_hex_encode(raw, sizeof raw, hex);
        return su_strdup(hex, ret, err);
}

int su_key_object(const struct su_public_key *key, json_t **ret, struct su_sha256 *ret_id,
                  struct su_error *err)
{
        enum su_key_type type = su_public_key_type(key);
        su_auto_json json_t *object = NULL;
        su_auto_free char *text = NULL;
        int r;

        r = public_text(key, &text, err);
        if (r < 0)
                return r;
        object = json_pack("{s:s, s:s, s:{s:s}}", "keytype", schemes[type].keytype, "scheme",
                           schemes[type].scheme, "keyval", "public", text);
        if (!object)
                return su_fail_oom(err);
        r = object_id(object, ret_id, err);
        if (r < 0)
                return r;
        *ret = su_take(object);
        return 0;
}
