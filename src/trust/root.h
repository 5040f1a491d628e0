/* What root metadata says (specification section 4.3): the keys of the four top-level roles. */
#pragma once

#include "trust/metadata.h"

struct su_root {
        struct su_trust_keys keys;
        struct su_signers signers[SU_ROLES];
        bool consistent_snapshot; /* file names carry versions and digests (section 6.2) */
};

int su_root_read(const struct su_metadata *metadata, struct su_root *ret, struct su_error *err);
void su_root_done(struct su_root *root);
#define su_auto_root su_auto(su_root_done)

/* Verify the metadata of a top-level role. */
int su_root_verify(const struct su_root *root, const struct su_metadata *metadata,
                   struct su_error *err);
