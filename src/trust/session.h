/* What client.c, load.c and search.c share; not for other rooms. */
#pragma once

#include "trust/client.h"
#include "trust/root.h"

/* The sizes that are asked for before anything better is known, as in the reference clients. */
#define SU_ROOT_SIZE_MAX 512000
#define SU_TIMESTAMP_SIZE_MAX 16384
#define SU_SNAPSHOT_SIZE_MAX 2000000
#define SU_TARGETS_SIZE_MAX 5000000

/* How many delegated roles one search may visit. */
#define SU_VISITS_MAX 32

/* A delegated role's metadata, as it was last loaded; verified anew through each delegator. */
struct su_loaded_role {
        char *name;
        struct su_metadata metadata;
        struct su_loaded_role *next;
};

struct su_trust {
        int metadata_fd;
        struct su_transport transport;
        int64_t now; /* the reference time of the refresh */
        struct su_root root;
        struct su_metadata roles[SU_ROLES]; /* document NULL: nothing trusted yet */
        struct su_loaded_role *loaded;
};

/* Who signs for a role, and how it is called. */
struct su_role_trust {
        const char *name;
        const struct su_trust_keys *keys;
        const struct su_signers *signers;
};

/* Parse, verify, and check that what the type needs is in it: what is stored must not stand in the
 * way of what comes after it. */
int su_role_parse(enum su_role type, const struct su_role_trust *role, const char *text,
                  size_t size, struct su_metadata *ret, struct su_error *err);

/* What was trusted of a role: its bytes, and what they say if its keys still say so. */
struct su_stored {
        char *text;
        size_t size;
        struct su_metadata metadata;
};
void su_stored_done(struct su_stored *stored);

/* It has a say about what may come next even when it has expired. `ret` stays empty when there is
 * nothing. */
int su_stored_load(const struct su_trust *trust, enum su_role type,
                   const struct su_role_trust *role, struct su_stored *ret, struct su_error *err);
/* Whether it is what `entry` names, and fresh, so that it need not be fetched. */
bool su_stored_is(const struct su_stored *stored, const struct su_meta_entry *entry, int64_t now);

bool su_metadata_is_fresh(const struct su_metadata *metadata, int64_t now);
int su_check_expiry(const struct su_metadata *metadata, const char *name, int64_t now,
                    struct su_error *err);

/* The metadata of type `type` that `entry` names, from the cache or from the repository, verified,
 * not expired, and stored. */
int su_load_listed(struct su_trust *trust, enum su_role type, const struct su_role_trust *role,
                   const struct su_meta_entry *entry, struct su_metadata *ret,
                   struct su_error *err);
