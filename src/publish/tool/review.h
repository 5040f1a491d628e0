/* Metadata told to the person who is about to sign it: what it is, and what it changes. */
#pragma once

#include "publish/keys/keyring.h"
#include "trust/metadata.h"

/* A file with root or targets metadata that somebody brought here. */
struct su_review {
        char *role;
        struct su_metadata metadata;
        struct su_metadata old; /* the version before; `document` NULL: not at hand */
        struct su_sha256 fingerprint;
};

/* FORMAT unless `path` is well-formed metadata of root, targets or a baseline, which has the
 * version that its name says. `old_path` NULL: the version before is looked for beside it, and
 * where a workspace has it. */
int su_review_read(const char *path, const char *old_path, struct su_review *ret,
                   struct su_error *err);
void su_review_done(struct su_review *review);
#define su_auto_review su_auto(su_review_done)

/* With the names that `keyring` has for keys. */
void su_review_print(const struct su_review *review, const struct su_keyring *keyring);

/* Whether the metadata, or that before, says that the key signs for it, as far as it can be told
 * from the two. */
bool su_review_knows_key(const struct su_review *review, const struct su_sha256 *id);
