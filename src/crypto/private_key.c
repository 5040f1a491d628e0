#include "crypto/private_key.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "crypto/openssl.h"

#define PEM_SIZE_MAX 65536
#define RSA_BITS_NEW 3072

/* scrypt (RFC 7914): 16 MiB, and some tenths of a second. */
#define SCRYPT_SALT_SIZE 16
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 8

struct su_private_key {
        EVP_PKEY *pkey;
        enum su_key_type type;
        /* Of a key in a token: where it lives, and its public part, which is an object of its own
         * there. Otherwise NULL. */
        OSSL_LIB_CTX *library;
        EVP_PKEY *public_pkey;
};

/* Takes `*pkey` over when it is of a known type. */
static int adopt(EVP_PKEY **pkey, const char *name, struct su_private_key **ret,
                 struct su_error *err)
{
        struct su_private_key *key;
        enum su_key_type type;

        if (!su_pkey_type(*pkey, &type))
                return su_fail(err, SU_ERROR_FORMAT,
                               "'%s' is not an Ed25519, ECDSA P-256 or RSA private key of %d to "
                               "%d bits",
                               name, SU_RSA_BITS_MIN, SU_RSA_BITS_MAX);
        key = calloc(1, sizeof *key);
        if (!key)
                return su_fail_oom(err);
        *key = (struct su_private_key){.pkey = *pkey, .type = type};
        *pkey = NULL;
        *ret = key;
        return 0;
}

int su_private_key_generate(enum su_key_type type, struct su_private_key **ret,
                            struct su_error *err)
{
        su_auto(su_pkey_free_p) EVP_PKEY *pkey = NULL;

        switch (type) {
        case SU_KEY_ED25519:
                pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
                break;
        case SU_KEY_ECDSA_P256:
                pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
                break;
        case SU_KEY_RSA_PSS:
                pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS_NEW);
                break;
        }
        if (!pkey)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot make a key");
        return adopt(&pkey, "the new key", ret, err);
}

void su_private_key_free(struct su_private_key *key)
{
        if (!key)
                return;
        EVP_PKEY_free(key->pkey);
        EVP_PKEY_free(key->public_pkey);
        OSSL_LIB_CTX_free(key->library);
        free(key);
}

/* What libcrypto's callback needs, and what became of it. */
struct asking {
        const struct su_passphrase_source *source;
        const char *what;
        struct su_error *err;
        bool asked;
        int result;
};

static int ask(char *buffer, int size, int rwflag, void *userdata)
{
        struct asking *asking = userdata;

        (void)rwflag;
        asking->asked = true;
        if (!asking->source)
                return -1;
        asking->result = asking->source->get(asking->source->userdata, asking->what, buffer,
                                             (size_t)size, asking->err);
        return asking->result < 0 ? -1 : (int)strlen(buffer);
}

static int explain_unreadable(const struct asking *asking, struct su_error *err)
{
        if (asking->result < 0)
                return asking->result;
        if (asking->asked && !asking->source)
                return su_fail(err, SU_ERROR_CONFIG, "'%s' is encrypted: its passphrase is needed",
                               asking->what);
        if (asking->asked)
                return su_fail(err, SU_ERROR_CONFIG, "the passphrase of '%s' is wrong",
                               asking->what);
        return su_fail(err, SU_ERROR_FORMAT, "'%s' is not a private key in PEM", asking->what);
}

int su_private_key_load(int dir_fd, const char *name, const struct su_passphrase_source *passphrase,
                        struct su_private_key **ret, struct su_error *err)
{
        struct asking asking = {.source = passphrase, .what = name, .err = err};
        su_auto(su_pkey_free_p) EVP_PKEY *pkey = NULL;
        su_auto(su_bio_free_p) BIO *bio = NULL;
        su_auto_free char *pem = NULL;
        size_t size;
        int r;

        r = su_file_read(dir_fd, name, PEM_SIZE_MAX, &pem, &size, err);
        if (r < 0)
                return r;
        bio = BIO_new_mem_buf(pem, (int)size);
        if (bio)
                pkey = PEM_read_bio_PrivateKey(bio, NULL, ask, &asking);
        OPENSSL_cleanse(pem, size);
        ERR_clear_error();
        if (!bio)
                return su_fail_oom(err);
        if (!pkey)
                return explain_unreadable(&asking, err);
        return adopt(&pkey, name, ret, err);
}

static void store_close_p(OSSL_STORE_CTX **store)
{
        (void)OSSL_STORE_close(*store);
}

static void ui_method_free_p(UI_METHOD **method)
{
        UI_destroy_method(*method);
}

/* The first key of the wanted kind that the token shows; NULL, too, when it lets nobody in. */
static EVP_PKEY *read_token(OSSL_STORE_CTX *store, int kind, bool *ret_locked)
{
        EVP_PKEY *pkey = NULL;

        while (!pkey && !OSSL_STORE_eof(store)) {
                OSSL_STORE_INFO *info = OSSL_STORE_load(store);

                if (!info && OSSL_STORE_error(store)) {
                        *ret_locked = true;
                        break;
                }
                if (!info)
                        continue;
                if (OSSL_STORE_INFO_get_type(info) == kind)
                        pkey = kind == OSSL_STORE_INFO_PKEY ? OSSL_STORE_INFO_get1_PKEY(info)
                                                            : OSSL_STORE_INFO_get1_PUBKEY(info);
                OSSL_STORE_INFO_free(info);
        }
        return pkey;
}

static void library_free_p(OSSL_LIB_CTX **library)
{
        OSSL_LIB_CTX_free(*library);
}

/* A libcrypto of the token's own: a token in software may use the common one itself, and would then
 * be asked by it for what it asks it for. */
static int open_library(const char *uri, OSSL_LIB_CTX **ret, struct su_error *err)
{
        su_auto(library_free_p) OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
        bool has_default;
        bool has_pkcs11;

        if (!library)
                return su_fail_oom(err);
        has_default = OSSL_PROVIDER_load(library, "default");
        has_pkcs11 = OSSL_PROVIDER_load(library, "pkcs11");
        ERR_clear_error();
        if (!has_default || !has_pkcs11)
                return su_fail(err, SU_ERROR_UNSUPPORTED,
                               "'%s' needs OpenSSL's provider for PKCS #11, which is not installed "
                               "or finds no PKCS #11 module",
                               uri);
        *ret = su_take(library);
        return 0;
}

static EVP_PKEY *look_into_token(const char *uri, OSSL_LIB_CTX *library, int kind,
                                 struct asking *asking, bool *ret_locked)
{
        su_auto(ui_method_free_p) UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(ask, 0);
        su_auto(store_close_p) OSSL_STORE_CTX *store = NULL;
        EVP_PKEY *pkey = NULL;

        store = OSSL_STORE_open_ex(uri, library, "provider=pkcs11", method, asking, NULL, NULL,
                                   NULL);
        if (store && OSSL_STORE_expect(store, kind) == 1)
                pkey = read_token(store, kind, ret_locked);
        ERR_clear_error();
        return pkey;
}

int su_private_key_open_token(const char *uri, const struct su_passphrase_source *passphrase,
                              struct su_private_key **ret, struct su_error *err)
{
        struct asking asking = {.source = passphrase, .what = uri, .err = err};
        su_auto(library_free_p) OSSL_LIB_CTX *library = NULL;
        su_auto(su_pkey_free_p) EVP_PKEY *pkey = NULL;
        struct su_private_key *key;
        bool locked = false;
        int r;

        r = open_library(uri, &library, err);
        if (r < 0)
                return r;
        pkey = look_into_token(uri, library, OSSL_STORE_INFO_PKEY, &asking, &locked);
        if (!pkey && asking.result < 0)
                return asking.result;
        if (!pkey && asking.asked && locked) /* which of the two, providers do not tell */
                return su_fail(err, SU_ERROR_CONFIG,
                               "no key '%s' could be had: its PIN is %s, or the token has none",
                               uri, passphrase ? "wrong" : "needed");
        if (!pkey)
                return su_fail(err, SU_ERROR_NOT_FOUND, "no token has the private key '%s'", uri);
        r = adopt(&pkey, uri, &key, err);
        if (r < 0)
                return r;
        key->public_pkey = look_into_token(uri, library, OSSL_STORE_INFO_PUBKEY, &asking, &locked);
        key->library = su_take(library);
        *ret = key;
        return 0;
}

/* PKCS #8, encrypted by PBES2 (RFC 8018) with scrypt, into `bio`. */
static bool write_encrypted(BIO *bio, EVP_PKEY *pkey, const char *passphrase)
{
        PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(pkey);
        X509_ALGOR *algorithm = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, SCRYPT_SALT_SIZE,
                                                      NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
        X509_SIG *sealed = NULL;
        bool written;

        if (plain && algorithm)
                sealed = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), plain, algorithm);
        if (!sealed)
                X509_ALGOR_free(algorithm);
        written = sealed && PEM_write_bio_PKCS8(bio, sealed) == 1;
        X509_SIG_free(sealed);
        PKCS8_PRIV_KEY_INFO_free(plain);
        return written;
}

static int encode(const struct su_private_key *key, const char *name, const char *passphrase,
                  BIO *bio, struct su_error *err)
{
        bool written = passphrase ? write_encrypted(bio, key->pkey, passphrase)
                                  : PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0,
                                                                  NULL, NULL) == 1;

        ERR_clear_error();
        if (!written)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot encode the key '%s'", name);
        return 0;
}

/* Under a name of its own first: a kill leaves no half key under the one that is wanted. */
static int write_new(int dir_fd, const char *name, const char *temporary, const char *pem,
                     size_t size, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
                return su_fail_errno(err, errno, "cannot replace '%s'", temporary);
        fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot create key file '%s'", name);
        r = su_write_all(fd, pem, size, name, err);
        if (r < 0)
                return r;
        if (fsync(fd) < 0)
                return su_fail_errno(err, errno, "cannot sync '%s'", name);
        if (renameat2(dir_fd, temporary, dir_fd, name, RENAME_NOREPLACE) < 0)
                return su_fail_errno(err, errno, "cannot create key file '%s'", name);
        return su_sync_parent(dir_fd, name, err);
}

int su_private_key_save(const struct su_private_key *key, int dir_fd, const char *name,
                        const char *passphrase, struct su_error *err)
{
        su_auto(su_bio_free_p) BIO *bio = BIO_new(BIO_s_secmem());
        su_auto_free char *temporary = NULL;
        char *pem;
        long size;
        int r;

        if (!bio)
                return su_fail_oom(err);
        r = encode(key, name, passphrase, bio, err);
        if (r >= 0)
                r = su_format(&temporary, err, "%s.new", name);
        if (r < 0)
                return r;
        size = BIO_get_mem_data(bio, &pem);
        r = write_new(dir_fd, name, temporary, pem, (size_t)size, err);
        if (r < 0)
                (void)unlinkat(dir_fd, temporary, 0);
        return r;
}

/* A point of P-256 as a key of the common libcrypto. */
static int from_point(uint8_t *point, size_t size, struct su_public_key **ret, struct su_error *err)
{
        char group[] = "P-256";
        OSSL_PARAM parameters[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, size),
                OSSL_PARAM_construct_end(),
        };
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        su_auto(su_pkey_free_p) EVP_PKEY *pkey = NULL;
        unsigned char *der = NULL;
        int size_of_der = -1;
        int r;

        if (context && EVP_PKEY_fromdata_init(context) == 1 &&
            EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) == 1)
                size_of_der = i2d_PUBKEY(pkey, &der);
        EVP_PKEY_CTX_free(context);
        ERR_clear_error();
        if (size_of_der < 0)
                return su_fail(err, SU_ERROR_FORMAT, "the token's public key is no point of P-256");
        r = su_public_key_from_der(der, (size_t)size_of_der, ret, err);
        OPENSSL_free(der);
        return r;
}

static bool tell_public(const EVP_PKEY *pkey, const char *parameter, uint8_t *bytes, size_t max,
                        size_t *ret_size)
{
        return EVP_PKEY_get_octet_string_param(pkey, parameter, bytes, max, ret_size) == 1;
}

/* Tokens tell the public parts of their keys, but not all of them as a whole that can be encoded.
 */
static int public_of_token(const struct su_private_key *key, struct su_public_key **ret,
                           struct su_error *err)
{
        uint8_t bytes[256];
        size_t size = 0;
        bool has = key->public_pkey &&
                   (tell_public(key->public_pkey, OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof bytes,
                                &size) ||
                    tell_public(key->public_pkey, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, bytes,
                                sizeof bytes, &size));

        ERR_clear_error();
        if (has && key->type == SU_KEY_ED25519 && size == SU_ED25519_PUBLIC_SIZE)
                return su_public_key_from_ed25519(bytes, ret, err);
        if (has && key->type == SU_KEY_ECDSA_P256)
                return from_point(bytes, size, ret, err);
        return su_fail(err, SU_ERROR_UNSUPPORTED,
                       "the token does not tell the public part of its key: it needs the public "
                       "key as well, with the same label and id");
}

int su_private_key_public(const struct su_private_key *key, struct su_public_key **ret,
                          struct su_error *err)
{
        unsigned char *der = NULL;
        int size = i2d_PUBKEY(key->pkey, &der);
        int r;

        ERR_clear_error();
        if (size < 0 && key->library)
                return public_of_token(key, ret, err);
        if (size < 0)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot give the public key");
        r = su_public_key_from_der(der, (size_t)size, ret, err);
        OPENSSL_free(der);
        return r;
}

static bool set_pss(EVP_PKEY_CTX *context)
{
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

int su_sign(const struct su_private_key *key, const void *data, size_t size,
            struct su_signature *ret, struct su_error *err)
{
        su_auto(su_md_context_free_p) EVP_MD_CTX *context = EVP_MD_CTX_new();
        const char *digest = key->type == SU_KEY_ED25519 ? NULL : "SHA256";
        EVP_PKEY_CTX *pkey_context;
        struct su_signature signature = {.size = sizeof signature.bytes};
        bool signs;

        if (!context)
                return su_fail_oom(err);
        signs = EVP_DigestSignInit_ex(context, &pkey_context, digest, key->library, NULL, key->pkey,
                                      NULL) == 1 &&
                (key->type != SU_KEY_RSA_PSS || set_pss(pkey_context)) &&
                EVP_DigestSign(context, signature.bytes, &signature.size, data, size) == 1;
        ERR_clear_error();
        if (!signs)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot sign");
        *ret = signature;
        return 0;
}
