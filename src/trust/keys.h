/* The keys of TUF metadata (specification section 4.3), and who must sign for a role. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "crypto/public_key.h"
#include "crypto/sha256.h"
#include "json/json.h"

/* In one file; a bound on work and memory. */
#define SU_KEYS_MAX 1024

struct su_trust_key {
        struct su_sha256 id; /* of the canonical form of the key object */
        struct su_public_key *key;
};

struct su_trust_keys {
        struct su_trust_key *keys;
        size_t n_keys;
};

/* The object "keys". FORMAT when a key's id is not that of its object; a key of a type that is not
 * known here is left out: it cannot count towards a threshold. */
int su_trust_keys_read(json_t *object, struct su_trust_keys *ret, struct su_error *err);
const struct su_trust_key *su_trust_keys_find(const struct su_trust_keys *keys,
                                              const struct su_sha256 *id);
void su_trust_keys_done(struct su_trust_keys *keys);

/* Who signs for a role: any `threshold` of these keys. */
struct su_signers {
        struct su_sha256 *ids;
        size_t n_ids;
        size_t threshold;
};

/* "keyids" and "threshold" of a role's object. */
int su_signers_read(const json_t *object, struct su_signers *ret, struct su_error *err);
bool su_signers_equal(const struct su_signers *a, const struct su_signers *b);
void su_signers_done(struct su_signers *signers);

/* The key as {"keytype", "scheme", "keyval"}, and its id. */
int su_key_object(const struct su_public_key *key, json_t **ret, struct su_sha256 *ret_id,
                  struct su_error *err);
