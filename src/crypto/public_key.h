/* Public keys, and signatures checked with them: Ed25519 (RFC 8032), ECDSA over P-256 with SHA-256
 * (FIPS 186-5; DER signatures), RSASSA-PSS with SHA-256 (RFC 8017; salts of any length).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

enum su_key_type { SU_KEY_ED25519, SU_KEY_ECDSA_P256, SU_KEY_RSA_PSS };

#define SU_ED25519_PUBLIC_SIZE 32
#define SU_ED25519_SIGNATURE_SIZE 64
#define SU_RSA_BITS_MIN 2048
#define SU_RSA_BITS_MAX 8192
#define SU_SIGNATURE_SIZE_MAX (SU_RSA_BITS_MAX / 8)

struct su_signature {
        uint8_t bytes[SU_SIGNATURE_SIZE_MAX];
        size_t size;
};

struct su_public_key;

/* An Ed25519 key from its 32 bytes. FORMAT, here and below, for a point of small order. */
int su_public_key_from_ed25519(const uint8_t raw[SU_ED25519_PUBLIC_SIZE],
                               struct su_public_key **ret, struct su_error *err);
/* One key as SubjectPublicKeyInfo (RFC 5280), in PEM (RFC 7468) or DER. FORMAT when it is none, of
 * another type, or an RSA key outside of the sizes above. */
int su_public_key_from_pem(const char *pem, size_t size, struct su_public_key **ret,
                           struct su_error *err);
int su_public_key_from_der(const void *der, size_t size, struct su_public_key **ret,
                           struct su_error *err);
void su_public_key_free(struct su_public_key *key);

enum su_key_type su_public_key_type(const struct su_public_key *key);
/* Same type and same mathematical key, however it was encoded. */
bool su_public_key_equal(const struct su_public_key *a, const struct su_public_key *b);

/* The 32 bytes of an Ed25519 key; FORMAT for other types. */
int su_public_key_ed25519(const struct su_public_key *key, uint8_t ret[SU_ED25519_PUBLIC_SIZE],
                          struct su_error *err);
/* PEM with its newline at the end, and a NUL. */
int su_public_key_pem(const struct su_public_key *key, char **ret, struct su_error *err);

/* False for a wrong signature and for whatever keeps libcrypto from checking it. */
bool su_signature_is_valid(const struct su_public_key *key, const void *data, size_t size,
                           const struct su_signature *signature);

static inline void su_public_key_free_p(struct su_public_key **key)
{
        su_public_key_free(*key);
}
#define su_auto_public_key su_auto(su_public_key_free_p)
