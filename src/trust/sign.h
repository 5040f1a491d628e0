/* The publisher's half of TUF metadata: keys as objects, signed envelopes. */
#pragma once

#include "base/error.h"
#include "crypto/sha256.h"
#include "crypto/signature.h"
#include "json/json.h"

/* {"keytype", "scheme", "keyval"} and the key id, the SHA-256 of its canonical form. */
int su_key_object(const struct su_public_key *key, json_t **ret, struct su_sha256 *ret_id,
                  struct su_error *err);

/* {"signatures": [...], "signed": `signed_part`} as text, signed by each of `keys`. */
int su_metadata_sign(json_t *signed_part, struct su_private_key *const *keys, size_t n_keys,
                     char **ret_text, size_t *ret_size, struct su_error *err);
