/* The keys that a directory holds: NAME.pub of each, and beside it NAME.pem (its private part) or
 * NAME.uri (where a token has that), when it is here. */
#pragma once

#include "crypto/private_key.h"
#include "publish/keys/keyfile.h"
#include "publish/keys/secret.h"

enum su_key_place { SU_KEY_HERE, SU_KEY_IN_TOKEN, SU_KEY_ELSEWHERE };

struct su_key {
        struct su_key_file file;
        enum su_key_place place;
        bool encrypted;
        struct su_private_key *opened; /* once it was needed */
};

struct su_keyring {
        int fd;
        struct su_secrets secrets;
        struct su_key **keys; /* in the order of their names */
        size_t n_keys;
};

/* `fd` is taken over, also on failure. */
int su_keyring_open(int fd, const struct su_secrets *secrets, struct su_keyring *ret,
                    struct su_error *err);
void su_keyring_done(struct su_keyring *keyring);
#define su_auto_keyring su_auto(su_keyring_done)

/* NULL when there is none. */
struct su_key *su_keyring_find(const struct su_keyring *keyring, const struct su_sha256 *id);
struct su_key *su_keyring_named(const struct su_keyring *keyring, const char *name);
/* `stem`, or stem-2, stem-3 and so on: the first name that no key has. */
int su_keyring_free_name(const struct su_keyring *keyring, const char *stem, char **ret,
                         struct su_error *err);

/* Make a key pair. CONFLICT when the name is taken; `protect`: with the passphrase that was given
 * or is asked for. */
int su_keyring_make(struct su_keyring *keyring, const char *name, enum su_key_type type,
                    bool protect, struct su_key **ret, struct su_error *err);
/* Use the key that a token has. */
int su_keyring_add_token(struct su_keyring *keyring, const char *name, const char *uri,
                         struct su_key **ret, struct su_error *err);
/* Add the public key in the file `path` (not below the key ring); what is here already stays, under
 * the name that it has here. */
int su_keyring_add_public(struct su_keyring *keyring, const char *path, struct su_key **ret,
                          struct su_error *err);

/* Whether its private part can be used from here, without or with a passphrase that can be had. */
bool su_key_is_usable(const struct su_keyring *keyring, const struct su_key *key);
/* The private part; it stays the key ring's. NOT_FOUND when it is elsewhere, CONFLICT when it is
 * another key's. */
int su_key_private(struct su_keyring *keyring, struct su_key *key,
                   const struct su_private_key **ret, struct su_error *err);
