#include "publish/keys/keytype.h"

#include <string.h>

#include "base/own.h"

int su_key_type_parse(const char *text, enum su_key_type *ret, struct su_error *err)
{
        static const char *const names[] = {
                [SU_KEY_ED25519] = "ed25519",
                [SU_KEY_ECDSA_P256] = "ecdsa",
                [SU_KEY_RSA_PSS] = "rsa",
        };

        *ret = SU_KEY_ED25519;
        if (!text)
                return 0;
        for (size_t i = 0; i < SU_ELEMENTS(names); i++)
                if (strcmp(text, names[i]) == 0) {
                        *ret = (enum su_key_type)i;
                        return 0;
                }
        return su_fail(err, SU_ERROR_USAGE, "unknown type '%s': ed25519, ecdsa or rsa", text);
}
