#include "publish/signing/signing.h"

#include <string.h>

#include "base/text.h"
#include "trust/sign.h"

/* NULL when the key has no signature there. */
static json_t *find(const json_t *signatures, const char *hex)
{
        json_t *entry;
        size_t i;

        json_array_foreach (signatures, i, entry) {
                const char *id = json_string_value(json_object_get(entry, "keyid"));

                if (id && strcmp(id, hex) == 0)
                        return entry;
        }
        return NULL;
}

/* Copy what has signed already. */
static int keep_good(const struct su_authority *authority, json_t *signed_part,
                     const json_t *before, json_t *signatures, struct su_error *err)
{
        su_auto_free size_t *good = calloc(authority->signers.n_ids + 1, sizeof *good);
        su_auto_json json_t *document =
                json_pack("{s:O, s:O}", "signatures", before, "signed", signed_part);
        const struct su_metadata metadata = {.document = document, .signed_part = signed_part};
        int n;

        if (!good || !document)
                return su_fail_oom(err);
        n = su_metadata_signed_by(&metadata, &authority->keys, &authority->signers, good, err);
        for (int i = 0; i < n; i++) {
                char hex[SU_SHA256_HEX_SIZE];

                su_hex_encode(authority->signers.ids[good[i]].bytes, SU_SHA256_SIZE, hex);
                if (!find(signatures, hex) && json_array_append(signatures, find(before, hex)) < 0)
                        return su_fail_oom(err);
        }
        return n < 0 ? n : 0;
}

static int sign_one(struct su_keyring *keyring, struct su_key *key, const json_t *signed_part,
                    json_t **ret, struct su_error *err)
{
        const struct su_private_key *private_key;
        int r;

        r = su_key_private(keyring, key, &private_key, err);
        return r < 0 ? r : su_metadata_signature(signed_part, private_key, ret, err);
}

/* A key's own signature, or an empty one when it is not for us to make. */
static int sign_or_ask(struct su_keyring *keyring, const struct su_sha256 *id, const char *hex,
                       const json_t *signed_part, enum su_signing how, json_t **ret,
                       struct su_error *err)
{
        struct su_key *key = su_keyring_find(keyring, id);

        if (key && key->place != SU_KEY_ELSEWHERE && how != SU_SIGN_NOTHING &&
            (how == SU_SIGN_STRICT || su_key_is_usable(keyring, key))) {
                int r = sign_one(keyring, key, signed_part, ret, err);

                if (r >= 0 || how == SU_SIGN_STRICT || key->place != SU_KEY_IN_TOKEN)
                        return r;
                /* the token is not plugged in: it will be asked again */
        }
        *ret = json_pack("{s:s, s:s}", "keyid", hex, "sig", "");
        return *ret ? 0 : su_fail_oom(err);
}

static int add_own(struct su_keyring *keyring, const struct su_authority *authority,
                   const json_t *signed_part, enum su_signing how, json_t *signatures,
                   struct su_error *err)
{
        if (how == SU_SIGN_STRICT && !authority->required)
                how = SU_SIGN_WHAT_CAN_BE;
        for (size_t i = 0; i < authority->signers.n_ids; i++) {
                const struct su_sha256 *id = &authority->signers.ids[i];
                char hex[SU_SHA256_HEX_SIZE];
                json_t *signature;
                int r;

                su_hex_encode(id->bytes, sizeof id->bytes, hex);
                if (find(signatures, hex))
                        continue;
                r = sign_or_ask(keyring, id, hex, signed_part, how, &signature, err);
                if (r < 0)
                        return r;
                if (json_array_append_new(signatures, signature) < 0)
                        return su_fail_oom(err);
        }
        return 0;
}

int su_signing_make(struct su_keyring *keyring, const struct su_authorities *authorities,
                    json_t *signed_part, const json_t *before, enum su_signing how, json_t **ret,
                    struct su_error *err)
{
        su_auto_json json_t *signatures = json_array();
        int r = 0;

        for (size_t i = 0; i < authorities->n && before && r >= 0; i++)
                r = keep_good(&authorities->each[i], signed_part, before, signatures, err);
        for (size_t i = 0; i < authorities->n && r >= 0; i++)
                r = add_own(keyring, &authorities->each[i], signed_part, how, signatures, err);
        if (r < 0)
                return r;
        *ret = json_pack("{s:O, s:O}", "signatures", signatures, "signed", signed_part);
        return *ret ? 0 : su_fail_oom(err);
}

int su_signing_strip(const json_t *document, json_t **ret, struct su_error *err)
{
        su_auto_json json_t *signatures = json_array();
        json_t *entry;
        size_t i;

        json_array_foreach (json_object_get(document, "signatures"), i, entry) {
                const char *text = json_string_value(json_object_get(entry, "sig"));

                if (text && text[0] && json_array_append(signatures, entry) < 0)
                        return su_fail_oom(err);
        }
        *ret = json_pack("{s:O, s:O}", "signatures", signatures, "signed",
                         json_object_get(document, "signed"));
        return *ret ? 0 : su_fail_oom(err);
}

int su_signing_fingerprint(const json_t *signed_part, struct su_sha256 *ret, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_json_canonical(signed_part, &text, &size, err);
        return r < 0 ? r : su_sha256_of(text, size, ret, err);
}
