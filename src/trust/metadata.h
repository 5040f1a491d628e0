/* TUF metadata (The Update Framework 1.0.34): the signed envelope and the head that all four types
 * have, and whether enough keys signed.
 *
 * The signature covers the canonical form of "signed" (section 4.2.1). Unknown fields stay in it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "trust/keys.h"
#include "json/json.h"

/* The top-level roles; a delegated role's metadata is of the type SU_ROLE_TARGETS. */
enum su_role { SU_ROLE_ROOT, SU_ROLE_TIMESTAMP, SU_ROLE_SNAPSHOT, SU_ROLE_TARGETS, SU_ROLES };

const char *su_role_name(enum su_role role);

/* More in one file are refused. */
#define SU_SIGNATURES_MAX 256
#define SU_METADATA_VALUES_MAX 300000 /* five a target: 60000 targets */

/* A signed file, parsed. `signed_part` belongs to `document`. */
struct su_metadata {
        enum su_role type;
        int64_t version;
        int64_t expires; /* seconds since 1970 */
        json_t *document;
        json_t *signed_part;
};

/* Parse without checking signatures; `name` is the role's, for messages. FORMAT when the file does
 * not follow the specification. */
int su_metadata_parse(enum su_role type, const char *name, const char *text, size_t size,
                      struct su_metadata *ret, struct su_error *err);
void su_metadata_done(struct su_metadata *metadata);
#define su_auto_metadata su_auto(su_metadata_done)

/* SIGNATURE unless the threshold of `signers`, whose keys are among `keys`, signed it: unique key
 * ids and unique key material count, a bad signature beside enough good ones does no harm. */
int su_metadata_verify(const struct su_metadata *metadata, const char *name,
                       const struct su_trust_keys *keys, const struct su_signers *signers,
                       struct su_error *err);
/* The same without a verdict: which of `signers` signed it, as indexes into signers->ids in `ret`,
 * which takes `signers->n_ids` of them; returns how many, or -errno. */
int su_metadata_signed_by(const struct su_metadata *metadata, const struct su_trust_keys *keys,
                          const struct su_signers *signers, size_t *ret, struct su_error *err);
