/* Private keys of a publisher: in files (PKCS #8 in PEM, RFC 5958, encrypted when a passphrase is
 * given), or in a token that is reached by PKCS #11. */
#pragma once

#include "crypto/public_key.h"

struct su_private_key;

/* Asked for the passphrase of a file or the PIN of a token, when one is needed: writes at most
 * `size` bytes, a NUL among them. The buffer is wiped after use. */
typedef int (*su_passphrase_get)(void *userdata, const char *what, char *buffer, size_t size,
                                 struct su_error *err);
struct su_passphrase_source {
        su_passphrase_get get;
        void *userdata;
};
#define SU_PASSPHRASE_SIZE_MAX 1024

int su_private_key_generate(enum su_key_type type, struct su_private_key **ret,
                            struct su_error *err);
void su_private_key_free(struct su_private_key *key);

/* FORMAT when the file is no key of a known type; CONFIG when it is encrypted and `passphrase` is
 * NULL, or the passphrase is wrong. */
int su_private_key_load(int dir_fd, const char *name, const struct su_passphrase_source *passphrase,
                        struct su_private_key **ret, struct su_error *err);
/* A key in a token, by its URI (RFC 7512), through OpenSSL's provider "pkcs11". UNSUPPORTED when
 * that provider is not installed, NOT_FOUND when there is no such key. */
int su_private_key_open_token(const char *uri, const struct su_passphrase_source *passphrase,
                              struct su_private_key **ret, struct su_error *err);
/* Creates `name` with mode 0600 and refuses to replace a file (-EEXIST). `passphrase` NULL: not
 * encrypted; otherwise with AES-256 and a key from scrypt. */
int su_private_key_save(const struct su_private_key *key, int dir_fd, const char *name,
                        const char *passphrase, struct su_error *err);

int su_private_key_public(const struct su_private_key *key, struct su_public_key **ret,
                          struct su_error *err);
int su_sign(const struct su_private_key *key, const void *data, size_t size,
            struct su_signature *ret, struct su_error *err);

static inline void su_private_key_free_p(struct su_private_key **key)
{
        su_private_key_free(*key);
}
#define su_auto_private_key su_auto(su_private_key_free_p)
