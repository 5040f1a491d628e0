/* Who must sign the metadata of a role, as the repository will say, and who has. */
#pragma once

#include "publish/store/repository.h"

/* Some keys, of which a threshold signs. */
struct su_authority {
        struct su_trust_keys keys;
        struct su_signers signers;
        bool required; /* else: its signatures are wanted, where they can be had */
};

/* The own keys of the role first. Root metadata needs those of the root before it, too. Where a new
 * root has other keys for a role, those of the former one are wanted: a device that reads the
 * repository while it is published may know only them. */
struct su_authorities {
        struct su_authority each[2];
        size_t n;
};

/* `root`: the metadata itself, when the role is root; otherwise NULL. */
int su_authorities_of(const struct su_workspace *workspace, const char *role,
                      const struct su_metadata *root, struct su_authorities *ret,
                      struct su_error *err);
void su_authorities_done(struct su_authorities *authorities);
#define su_auto_authorities su_auto(su_authorities_done)

/* How many keys of one authority have signed. */
int su_authority_count(const struct su_authority *authority, const struct su_metadata *metadata,
                       struct su_error *err);
/* Whether all that are required have their thresholds. */
int su_authorities_are_met(const struct su_authorities *authorities,
                           const struct su_metadata *metadata, bool *ret, struct su_error *err);

/* The keys of a role as one of the views has them; NOT_FOUND when it has no such role. */
int su_authority_read(const struct su_workspace *workspace, enum su_view view, const char *role,
                      struct su_authority *ret, struct su_error *err);
void su_authority_done(struct su_authority *authority);
#define su_auto_authority su_auto(su_authority_done)
/* Whether the two views differ about who signs for the role. */
int su_authority_changes(const struct su_workspace *workspace, const char *role, bool *ret,
                         struct su_error *err);
