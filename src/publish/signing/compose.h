/* The signed parts of metadata: made, and changed. */
#pragma once

#include "publish/keys/keyring.h"
#include "trust/metadata.h"

/* How long signatures are good for, in days. */
#define SU_ROOT_DAYS 365
#define SU_TARGETS_DAYS 90
#define SU_SNAPSHOT_DAYS 30
#define SU_TIMESTAMP_DAYS 14

int64_t su_role_seconds(enum su_role role);

/* What all types have: good from now on. */
int su_compose_head(enum su_role role, int64_t version, json_t **ret, struct su_error *err);
/* The same content with another version, good from now on. */
int su_compose_again(enum su_role role, const json_t *signed_part, int64_t version, json_t **ret,
                     struct su_error *err);

int su_compose_root(int64_t version, json_t **ret, struct su_error *err);
int su_compose_targets(int64_t version, json_t **ret, struct su_error *err);

/* The keys that a role is to have. */
struct su_key_choice {
        struct su_key **keys;
        size_t n;
        size_t threshold;
};
int su_key_choice_add(struct su_key_choice *choice, struct su_key *key, struct su_error *err);
void su_key_choice_done(struct su_key_choice *choice);
#define su_auto_key_choice su_auto(su_key_choice_done)

/* Of root metadata: a top-level role's keys. */
int su_compose_set_keys(json_t *root, const char *role, const struct su_key_choice *choice,
                        struct su_error *err);
/* Of targets metadata: to whom the targets of a baseline are delegated. */
int su_compose_delegate(json_t *targets, const char *baseline, const struct su_key_choice *choice,
                        struct su_error *err);

/* Of root or targets metadata: take a key from a role. USAGE when fewer than its threshold would be
 * left; `ret_had` says whether the role had it. */
int su_compose_remove_key(json_t *signed_part, const char *role, const struct su_sha256 *id,
                          bool *ret_had, struct su_error *err);
