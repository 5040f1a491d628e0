/* TUF metadata (The Update Framework 1.0.34): what the four roles say, and whether enough keys
 * signed.
 *
 * The signature covers the canonical form of "signed" (section 4.2.1). Unknown fields stay in it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "crypto/sha256.h"
#include "crypto/signature.h"
#include "json/json.h"

enum su_role { SU_ROLE_ROOT, SU_ROLE_TIMESTAMP, SU_ROLE_SNAPSHOT, SU_ROLE_TARGETS, SU_ROLES };

const char *su_role_name(enum su_role role);

#define SU_KEYS_MAX 64

struct su_trust_key {
        struct su_sha256 id; /* of the canonical form of the key object (section 4.3) */
        struct su_public_key key;
};

struct su_role_keys {
        size_t keys[SU_KEYS_MAX]; /* indexes into the root's keys */
        size_t n_keys;
        size_t threshold;
};

/* What root metadata says (section 4.3). */
struct su_root {
        struct su_trust_key keys[SU_KEYS_MAX];
        size_t n_keys;
        struct su_role_keys roles[SU_ROLES];
};

/* A signed file, parsed. `signed_part` belongs to `document`. */
struct su_metadata {
        enum su_role role;
        int64_t version;
        int64_t expires;
        json_t *document;
        json_t *signed_part;
};

/* Parse without checking signatures. FORMAT when the file does not follow the specification. */
int su_metadata_parse(enum su_role role, const char *text, size_t size, struct su_metadata *ret,
                      struct su_error *err);
void su_metadata_done(struct su_metadata *metadata);
#define su_auto_metadata su_auto(su_metadata_done)

/* SIGNATURE unless the threshold of `root`'s keys for the metadata's role signed it: unique key ids
 * and unique key material count, a bad signature beside enough good ones does no harm. */
int su_metadata_verify(const struct su_metadata *metadata, const struct su_root *root,
                       struct su_error *err);

int su_root_read(const struct su_metadata *metadata, struct su_root *ret, struct su_error *err);

/* An entry of "meta" or "targets" (sections 4.4 to 4.6). Length and hash are optional for "meta".
 */
struct su_meta_entry {
        int64_t version;
        bool has_length;
        int64_t length;
        bool has_sha256;
        struct su_sha256 sha256;
};

/* The entry for `name` ("snapshot.json", "targets.json") of a timestamp or snapshot. */
int su_meta_entry_read(const struct su_metadata *metadata, const char *name,
                       struct su_meta_entry *ret, struct su_error *err);
