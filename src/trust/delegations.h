/* Delegations (specification section 4.5): which roles a targets role trusts with which paths, and
 * which keys sign for them. A role is nothing without the one that delegates to it: another may
 * delegate to the same name with other keys. */
#pragma once

#include "trust/metadata.h"

/* In one file; a bound on work and memory. */
#define SU_DELEGATED_ROLES_MAX 8192
#define SU_ROLE_NAME_MAX 255

struct su_delegation {
        char *name;
        struct su_signers signers;
        bool terminating; /* nothing after it is looked at for its paths */
        json_t *object;   /* "paths" or "path_hash_prefixes"; the metadata's */
};

struct su_delegations {
        struct su_trust_keys keys;
        struct su_delegation *roles; /* in order of appearance */
        size_t n_roles;
        bool succinct; /* roles[0] stands for 2^bit_length hash bins (TAP 15); its name is their
                          prefix */
        unsigned bit_length;
};

/* Of targets metadata, which must outlive the result; none when it delegates nothing. */
int su_delegations_read(const struct su_metadata *targets, struct su_delegations *ret,
                        struct su_error *err);
void su_delegations_done(struct su_delegations *delegations);
#define su_auto_delegations su_auto(su_delegations_done)

/* The next role, from `*position` on (at first 0), that may have `path`; its name in `ret_name`, in
 * fresh memory. Returns 1, or 0 when there is no more. */
int su_delegations_next(const struct su_delegations *delegations, const char *path,
                        size_t *position, const struct su_delegation **ret, char **ret_name,
                        struct su_error *err);
/* The delegation to the role of this name, or NULL. */
const struct su_delegation *su_delegations_find(const struct su_delegations *delegations,
                                                const char *name);
