#include "trust/sign.h"

#include "base/text.h"

int su_key_object(const struct su_public_key *key, json_t **ret, struct su_sha256 *ret_id,
                  struct su_error *err)
{
        char hex[2 * SU_ED25519_PUBLIC_SIZE + 1];
        su_auto_json json_t *object = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        su_hex_encode(key->bytes, sizeof key->bytes, hex);
        object = json_pack("{s:s, s:s, s:{s:s}}", "keytype", "ed25519", "scheme", "ed25519",
                           "keyval", "public", hex);
        if (!object)
                return su_fail_oom(err);
        r = su_json_canonical(object, &text, &size, err);
        if (r >= 0)
                r = su_sha256_of(text, size, ret_id, err);
        if (r < 0)
                return r;
        *ret = su_take(object);
        return 0;
}

static int append_signature(json_t *signatures, const struct su_private_key *key, const char *text,
                            size_t size, struct su_error *err)
{
        char signature_hex[2 * SU_ED25519_SIGNATURE_SIZE + 1];
        char id_hex[SU_SHA256_HEX_SIZE];
        su_auto_json json_t *object = NULL;
        struct su_signature signature;
        struct su_public_key public_key;
        struct su_sha256 id;
        int r;

        r = su_private_key_public(key, &public_key, err);
        if (r >= 0)
                r = su_key_object(&public_key, &object, &id, err);
        if (r >= 0)
                r = su_sign(key, text, size, &signature, err);
        if (r < 0)
                return r;
        su_hex_encode(id.bytes, sizeof id.bytes, id_hex);
        su_hex_encode(signature.bytes, sizeof signature.bytes, signature_hex);
        if (json_array_append_new(
                    signatures, json_pack("{s:s, s:s}", "keyid", id_hex, "sig", signature_hex)) < 0)
                return su_fail_oom(err);
        return 0;
}

int su_metadata_sign(json_t *signed_part, struct su_private_key *const *keys, size_t n_keys,
                     char **ret_text, size_t *ret_size, struct su_error *err)
{
        su_auto_json json_t *signatures = json_array();
        su_auto_json json_t *document = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        if (!signatures)
                return su_fail_oom(err);
        r = su_json_canonical(signed_part, &text, &size, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_keys; i++) {
                r = append_signature(signatures, keys[i], text, size, err);
                if (r < 0)
                        return r;
        }
        document = json_pack("{s:O, s:O}", "signatures", signatures, "signed", signed_part);
        if (!document)
                return su_fail_oom(err);
        return su_json_compact(document, ret_text, ret_size, err);
}
