#include "crypto/public_key.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "crypto/openssl.h"

#define RSA_EXPONENT_BITS_MAX 64

struct su_public_key {
        EVP_PKEY *pkey;
        enum su_key_type type;
};

bool su_pkey_type(const EVP_PKEY *pkey, enum su_key_type *ret)
{
        char group[32] = "";

        if (EVP_PKEY_is_a(pkey, "ED25519")) {
                *ret = SU_KEY_ED25519;
                return true;
        }
        if (EVP_PKEY_is_a(pkey, "EC")) {
                *ret = SU_KEY_ECDSA_P256;
                return EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
                       (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0);
        }
        *ret = SU_KEY_RSA_PSS;
        return (EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "RSA-PSS")) &&
               EVP_PKEY_get_bits(pkey) >= SU_RSA_BITS_MIN &&
               EVP_PKEY_get_bits(pkey) <= SU_RSA_BITS_MAX;
}

/* The points of order 1, 2, 4 and 8, in every encoding, without the sign of x: under such a key a
 * signature holds for many texts. No honest key is one. */
static bool has_small_order(const uint8_t raw[SU_ED25519_PUBLIC_SIZE])
{
        static const uint8_t points[][SU_ED25519_PUBLIC_SIZE] = {
                {0},
                {1},
                {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
                 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
                 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
                {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
                 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
                 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
                /* p - 1, and p and p + 1, which are 0 and 1 again */
                {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
                {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
                {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        };
        const size_t last = SU_ED25519_PUBLIC_SIZE - 1;

        for (size_t i = 0; i < SU_ELEMENTS(points); i++)
                if (memcmp(raw, points[i], last) == 0 && (raw[last] & 0x7f) == points[i][last])
                        return true;
        return false;
}

/* With the exponent 1 anybody can sign, and with an even one nobody; long ones, which no honest key
 * has, make a verification as slow as a signature. */
static bool has_bad_exponent(const EVP_PKEY *pkey)
{
        BIGNUM *e = NULL;
        bool is_bad;

        is_bad = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1 || !BN_is_odd(e) ||
                 BN_is_one(e) || BN_num_bits(e) > RSA_EXPONENT_BITS_MAX;
        BN_free(e);
        return is_bad;
}

static bool is_weak(const EVP_PKEY *pkey, enum su_key_type type)
{
        uint8_t raw[SU_ED25519_PUBLIC_SIZE];
        size_t size = sizeof raw;

        switch (type) {
        case SU_KEY_ED25519:
                return EVP_PKEY_get_raw_public_key(pkey, raw, &size) != 1 || has_small_order(raw);
        case SU_KEY_RSA_PSS:
                return has_bad_exponent(pkey);
        case SU_KEY_ECDSA_P256:
                return false;
        }
        return true;
}

/* Takes `pkey` over, also on failure; NULL: it could not be parsed. */
static int adopt(EVP_PKEY *pkey, struct su_public_key **ret, struct su_error *err)
{
        struct su_public_key *key;
        enum su_key_type type;

        ERR_clear_error();
        if (!pkey)
                return su_fail(err, SU_ERROR_FORMAT, "this is not a public key");
        if (!su_pkey_type(pkey, &type)) {
                EVP_PKEY_free(pkey);
                return su_fail(err, SU_ERROR_FORMAT,
                               "the public key is not of a type that is known here: Ed25519, "
                               "ECDSA P-256, or RSA with %d to %d bits",
                               SU_RSA_BITS_MIN, SU_RSA_BITS_MAX);
        }
        if (is_weak(pkey, type)) {
                EVP_PKEY_free(pkey);
                ERR_clear_error();
                return su_fail(err, SU_ERROR_FORMAT, "%s",
                               type == SU_KEY_ED25519
                                       ? "the public key is a point of small order: anybody can "
                                         "sign for it"
                                       : "the public key's exponent is 1, even, or longer than 64 "
                                         "bits");
        }
        key = calloc(1, sizeof *key);
        if (!key) {
                EVP_PKEY_free(pkey);
                return su_fail_oom(err);
        }
        *key = (struct su_public_key){.pkey = pkey, .type = type};
        *ret = key;
        return 0;
}

int su_public_key_from_ed25519(const uint8_t raw[SU_ED25519_PUBLIC_SIZE],
                               struct su_public_key **ret, struct su_error *err)
{
        return adopt(
                EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, SU_ED25519_PUBLIC_SIZE),
                ret, err);
}

int su_public_key_from_pem(const char *pem, size_t size, struct su_public_key **ret,
                           struct su_error *err)
{
        su_auto(su_bio_free_p) BIO *bio = NULL;

        if (size > INT_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "this is not a public key");
        bio = BIO_new_mem_buf(pem, (int)size);
        if (!bio)
                return su_fail_oom(err);
        return adopt(PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL), ret, err);
}

int su_public_key_from_der(const void *der, size_t size, struct su_public_key **ret,
                           struct su_error *err)
{
        const unsigned char *bytes = der;

        if (size > LONG_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "this is not a public key");
        return adopt(d2i_PUBKEY(NULL, &bytes, (long)size), ret, err);
}

void su_public_key_free(struct su_public_key *key)
{
        if (!key)
                return;
        EVP_PKEY_free(key->pkey);
        free(key);
}

enum su_key_type su_public_key_type(const struct su_public_key *key)
{
        return key->type;
}

static bool have_equal_number(const EVP_PKEY *a, const EVP_PKEY *b, const char *name)
{
        BIGNUM *of_a = NULL;
        BIGNUM *of_b = NULL;
        bool are_equal = EVP_PKEY_get_bn_param(a, name, &of_a) == 1 &&
                         EVP_PKEY_get_bn_param(b, name, &of_b) == 1 && BN_cmp(of_a, of_b) == 0;

        BN_free(of_a);
        BN_free(of_b);
        return are_equal;
}

/* To libcrypto a key for RSA and the same for RSA-PSS alone are two. */
static bool are_equal_rsa(const EVP_PKEY *a, const EVP_PKEY *b)
{
        return have_equal_number(a, b, OSSL_PKEY_PARAM_RSA_N) &&
               have_equal_number(a, b, OSSL_PKEY_PARAM_RSA_E);
}

bool su_public_key_equal(const struct su_public_key *a, const struct su_public_key *b)
{
        bool are_equal;

        if (a->type != b->type)
                return false;
        are_equal = a->type == SU_KEY_RSA_PSS ? are_equal_rsa(a->pkey, b->pkey)
                                              : EVP_PKEY_eq(a->pkey, b->pkey) == 1;
        ERR_clear_error();
        return are_equal;
}

int su_public_key_ed25519(const struct su_public_key *key, uint8_t ret[SU_ED25519_PUBLIC_SIZE],
                          struct su_error *err)
{
        size_t size = SU_ED25519_PUBLIC_SIZE;

        if (key->type != SU_KEY_ED25519)
                return su_fail(err, SU_ERROR_FORMAT, "the key is not an Ed25519 key");
        if (EVP_PKEY_get_raw_public_key(key->pkey, ret, &size) != 1 ||
            size != SU_ED25519_PUBLIC_SIZE)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot give the public key");
        return 0;
}

int su_public_key_pem(const struct su_public_key *key, char **ret, struct su_error *err)
{
        su_auto(su_bio_free_p) BIO *bio = BIO_new(BIO_s_mem());
        char *pem;
        long size;

        if (!bio || PEM_write_bio_PUBKEY(bio, key->pkey) != 1)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot encode the public key");
        size = BIO_get_mem_data(bio, &pem);
        *ret = strndup(pem, (size_t)size);
        return *ret ? 0 : su_fail_oom(err);
}

static bool set_pss(EVP_PKEY_CTX *context)
{
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_AUTO) == 1;
}

bool su_signature_is_valid(const struct su_public_key *key, const void *data, size_t size,
                           const struct su_signature *signature)
{
        su_auto(su_md_context_free_p) EVP_MD_CTX *context = EVP_MD_CTX_new();
        const EVP_MD *digest = key->type == SU_KEY_ED25519 ? NULL : EVP_sha256();
        EVP_PKEY_CTX *pkey_context;
        bool valid;

        valid = context &&
                EVP_DigestVerifyInit(context, &pkey_context, digest, NULL, key->pkey) == 1 &&
                (key->type != SU_KEY_RSA_PSS || set_pss(pkey_context)) &&
                EVP_DigestVerify(context, signature->bytes, signature->size, data, size) == 1;
        ERR_clear_error();
        return valid;
}
