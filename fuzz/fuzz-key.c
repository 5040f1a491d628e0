/* Public keys of every form, before anything about them is trusted. The first byte chooses the
 * form: PEM, DER, the 32 bytes of Ed25519, or the object "keys" of TUF metadata. */
#include <string.h>

#include "fuzz.h"
#include "trust/keys.h"

/* Whatever was accepted can be written, read again, and is the same key. */
static void use(const struct su_public_key *key)
{
        su_auto_public_key struct su_public_key *again = NULL;
        su_auto_json json_t *object = NULL;
        su_auto_free char *pem = NULL;
        struct su_signature signature = {.size = SU_ED25519_SIGNATURE_SIZE};
        struct su_sha256 id;

        fuzz_check(su_public_key_pem(key, &pem, NULL) >= 0);
        fuzz_check(su_public_key_from_pem(pem, strlen(pem), &again, NULL) >= 0);
        fuzz_check(su_public_key_equal(key, again));
        fuzz_check(su_key_object(key, &object, &id, NULL) >= 0);
        fuzz_check(!su_signature_is_valid(key, "text", 4, &signature));
}

static void read_keys(const char *text, size_t size)
{
        su_auto_json json_t *object = NULL;
        struct su_trust_keys keys = {0};

        if (su_json_parse(text, size, &object, NULL) < 0 || !json_is_object(object) ||
            su_trust_keys_read(object, &keys, NULL) < 0)
                return;
        for (size_t i = 0; i < keys.n_keys; i++)
                use(keys.keys[i].key);
        su_trust_keys_done(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_public_key struct su_public_key *key = NULL;
        const char *text = (const char *)data + 1;

        if (size == 0)
                return 0;
        switch (data[0] % 4) {
        case 0:
                (void)su_public_key_from_pem(text, size - 1, &key, NULL);
                break;
        case 1:
                (void)su_public_key_from_der(text, size - 1, &key, NULL);
                break;
        case 2:
                if (size > SU_ED25519_PUBLIC_SIZE)
                        (void)su_public_key_from_ed25519(data + 1, &key, NULL);
                break;
        default:
                read_keys(text, size - 1);
        }
        if (key)
                use(key);
        return 0;
}
