/* Signed documents: those signatures that count, and for each that is wanted still an empty one,
 * which says whose. */
#pragma once

#include "publish/keys/keyring.h"
#include "publish/signing/authority.h"

/* What to do about a key that is here, but cannot be used: its passphrase is not known. */
enum su_signing { SU_SIGN_STRICT, SU_SIGN_WHAT_CAN_BE, SU_SIGN_NOTHING };

/* {"signatures", "signed"}: of `before` (an array, may be NULL) the signatures that are good and of
 * a key of `authorities`, then those of all such keys that the key ring can use. */
int su_signing_make(struct su_keyring *keyring, const struct su_authorities *authorities,
                    json_t *signed_part, const json_t *before, enum su_signing how, json_t **ret,
                    struct su_error *err);

/* The same document without empty signatures: as it is published. */
int su_signing_strip(const json_t *document, json_t **ret, struct su_error *err);

/* SHA-256 of the canonical form of the signed part: what is compared by people. */
int su_signing_fingerprint(const json_t *signed_part, struct su_sha256 *ret, struct su_error *err);
