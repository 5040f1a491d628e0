#include "crypto/signature.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "base/file.h"

#define PEM_SIZE_MAX 4096

struct su_private_key {
        EVP_PKEY *pkey;
};

static void pkey_free_p(EVP_PKEY **pkey)
{
        EVP_PKEY_free(*pkey);
}

static void bio_free_p(BIO **bio)
{
        BIO_free(*bio);
}

static void md_context_free_p(EVP_MD_CTX **context)
{
        EVP_MD_CTX_free(*context);
}

static int private_key_from(EVP_PKEY **pkey, struct su_private_key **ret, struct su_error *err)
{
        struct su_private_key *key = calloc(1, sizeof *key);

        if (!key)
                return su_fail_oom(err);
        key->pkey = *pkey;
        *pkey = NULL;
        *ret = key;
        return 0;
}

int su_private_key_generate(struct su_private_key **ret, struct su_error *err)
{
        su_auto(pkey_free_p) EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

        if (!pkey)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot make an Ed25519 key");
        return private_key_from(&pkey, ret, err);
}

void su_private_key_free(struct su_private_key *key)
{
        if (!key)
                return;
        EVP_PKEY_free(key->pkey);
        free(key);
}

int su_private_key_load(int dir_fd, const char *name, struct su_private_key **ret,
                        struct su_error *err)
{
        su_auto(pkey_free_p) EVP_PKEY *pkey = NULL;
        su_auto(bio_free_p) BIO *bio = NULL;
        su_auto_free char *pem = NULL;
        size_t size;
        int r;

        r = su_file_read(dir_fd, name, PEM_SIZE_MAX, &pem, &size, err);
        if (r < 0)
                return r;
        bio = BIO_new_mem_buf(pem, (int)size);
        if (!bio)
                return su_fail_oom(err);
        pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        OPENSSL_cleanse(pem, size);
        if (!pkey || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519)
                return su_fail(err, SU_ERROR_FORMAT, "'%s' is not an Ed25519 private key in PEM",
                               name);
        return private_key_from(&pkey, ret, err);
}

int su_private_key_save(const struct su_private_key *key, int dir_fd, const char *name,
                        struct su_error *err)
{
        su_auto(bio_free_p) BIO *bio = BIO_new(BIO_s_secmem());
        su_auto_close int fd = -EBADF;
        char *pem;
        long size;
        int r;

        if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot encode the key '%s'", name);
        size = BIO_get_mem_data(bio, &pem);
        fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot create key file '%s'", name);
        r = su_write_all(fd, pem, (size_t)size, name, err);
        if (r < 0)
                return r;
        if (fsync(fd) < 0)
                return su_fail_errno(err, errno, "cannot sync '%s'", name);
        return su_sync_parent(dir_fd, name, err);
}

int su_private_key_public(const struct su_private_key *key, struct su_public_key *ret,
                          struct su_error *err)
{
        size_t size = sizeof ret->bytes;

        if (EVP_PKEY_get_raw_public_key(key->pkey, ret->bytes, &size) != 1 ||
            size != sizeof ret->bytes)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot give the public key");
        return 0;
}

int su_sign(const struct su_private_key *key, const void *data, size_t size,
            struct su_signature *ret, struct su_error *err)
{
        su_auto(md_context_free_p) EVP_MD_CTX *context = EVP_MD_CTX_new();
        size_t signature_size = sizeof ret->bytes;

        if (!context)
                return su_fail_oom(err);
        if (EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey) != 1 ||
            EVP_DigestSign(context, ret->bytes, &signature_size, data, size) != 1 ||
            signature_size != sizeof ret->bytes)
                return su_fail(err, SU_ERROR_SYSTEM, "libcrypto cannot sign");
        return 0;
}

bool su_signature_is_valid(const struct su_public_key *key, const void *data, size_t size,
                           const struct su_signature *signature)
{
        su_auto(md_context_free_p) EVP_MD_CTX *context = EVP_MD_CTX_new();
        su_auto(pkey_free_p) EVP_PKEY *pkey =
                EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, sizeof key->bytes);

        return context && pkey && EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
               EVP_DigestVerify(context, signature->bytes, sizeof signature->bytes, data, size) ==
                       1;
}
