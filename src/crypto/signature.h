/* Ed25519 signatures (RFC 8032) and their keys. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

#define SU_ED25519_PUBLIC_SIZE 32
#define SU_ED25519_SIGNATURE_SIZE 64

struct su_public_key {
        uint8_t bytes[SU_ED25519_PUBLIC_SIZE];
};

struct su_signature {
        uint8_t bytes[SU_ED25519_SIGNATURE_SIZE];
};

struct su_private_key;

int su_private_key_generate(struct su_private_key **ret, struct su_error *err);
void su_private_key_free(struct su_private_key *key);

/* PKCS #8 in PEM. `save` creates `name` with mode 0600 and refuses to replace a file. */
int su_private_key_load(int dir_fd, const char *name, struct su_private_key **ret,
                        struct su_error *err);
int su_private_key_save(const struct su_private_key *key, int dir_fd, const char *name,
                        struct su_error *err);

int su_private_key_public(const struct su_private_key *key, struct su_public_key *ret,
                          struct su_error *err);
int su_sign(const struct su_private_key *key, const void *data, size_t size,
            struct su_signature *ret, struct su_error *err);

/* False for a wrong signature and for whatever keeps libcrypto from checking it. */
bool su_signature_is_valid(const struct su_public_key *key, const void *data, size_t size,
                           const struct su_signature *signature);

static inline void su_private_key_free_p(struct su_private_key **key)
{
        su_private_key_free(*key);
}
#define su_auto_private_key su_auto(su_private_key_free_p)
