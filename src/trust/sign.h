/* The publisher's half of TUF metadata: signed envelopes. */
#pragma once

#include "crypto/private_key.h"
#include "trust/keys.h"

/* {"keyid", "sig"}: `key`'s signature of the canonical form of `signed_part`. */
int su_metadata_signature(const json_t *signed_part, const struct su_private_key *key, json_t **ret,
                          struct su_error *err);

/* {"signatures": [...], "signed": `signed_part`} as text, signed by each of `keys`. */
int su_metadata_sign(json_t *signed_part, struct su_private_key *const *keys, size_t n_keys,
                     char **ret_text, size_t *ret_size, struct su_error *err);
