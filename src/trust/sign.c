#include "trust/sign.h"

#include "base/text.h"

int su_metadata_signature(const json_t *signed_part, const struct su_private_key *key, json_t **ret,
                          struct su_error *err)
{
        char signature_hex[2 * SU_SIGNATURE_SIZE_MAX + 1];
        char id_hex[SU_SHA256_HEX_SIZE];
        su_auto_public_key struct su_public_key *public_key = NULL;
        su_auto_json json_t *object = NULL;
        su_auto_free char *text = NULL;
        struct su_signature signature;
        struct su_sha256 id;
        size_t size;
        int r;

        r = su_private_key_public(key, &public_key, err);
        if (r >= 0)
                r = su_key_object(public_key, &object, &id, err);
        if (r >= 0)
                r = su_json_canonical(signed_part, &text, &size, err);
        if (r >= 0)
                r = su_sign(key, text, size, &signature, err);
        if (r < 0)
                return r;
        su_hex_encode(id.bytes, sizeof id.bytes, id_hex);
        su_hex_encode(signature.bytes, signature.size, signature_hex);
        *ret = json_pack("{s:s, s:s}", "keyid", id_hex, "sig", signature_hex);
        return *ret ? 0 : su_fail_oom(err);
}

int su_metadata_sign(json_t *signed_part, struct su_private_key *const *keys, size_t n_keys,
                     char **ret_text, size_t *ret_size, struct su_error *err)
{
        su_auto_json json_t *signatures = json_array();
        su_auto_json json_t *document = NULL;

        for (size_t i = 0; i < n_keys; i++) {
                json_t *signature = NULL;
                int r;

                r = su_metadata_signature(signed_part, keys[i], &signature, err);
                if (r < 0)
                        return r;
                if (json_array_append_new(signatures, signature) < 0)
                        return su_fail_oom(err);
        }
        document = json_pack("{s:O, s:O}", "signatures", signatures, "signed", signed_part);
        if (!document)
                return su_fail_oom(err);
        return su_json_compact(document, ret_text, ret_size, err);
}
