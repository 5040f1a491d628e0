/* Which logs and witnesses are trusted, and how many of them it takes (C2SP tlog-policy).
 *
 *     log VKEY [URL]
 *     witness NAME VKEY [URL]
 *     group NAME all|any|NUMBER MEMBER...
 *     quorum NAME|none
 *
 * Names are opaque bytes. A name is used after the line that defines it, and as a member at most
 * once; there is exactly one quorum.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transparency/key.h"

#define SU_POLICY_SIZE_MAX (256 * 1024)
#define SU_POLICY_LOGS_MAX 64
#define SU_POLICY_WITNESSES_MAX 64
#define SU_POLICY_GROUPS_MAX 64

struct su_policy_log {
        struct su_note_key *key; /* its name is the log's origin */
        char *url;               /* or NULL */
};

struct su_policy_witness {
        char *name; /* within the policy */
        struct su_note_key *key;
        char *url; /* or NULL */
};

struct su_policy;

/* CONFIG, naming `file` and line, when it is malformed; TOO_LARGE above the limits. */
int su_policy_parse(const char *file, const char *text, size_t size, struct su_policy **ret,
                    struct su_error *err);
void su_policy_free(struct su_policy *policy);

/* In the order of the file. */
size_t su_policy_n_logs(const struct su_policy *policy);
const struct su_policy_log *su_policy_log(const struct su_policy *policy, size_t i);
size_t su_policy_n_witnesses(const struct su_policy *policy);
const struct su_policy_witness *su_policy_witness(const struct su_policy *policy, size_t i);
/* The name in the quorum line. */
const char *su_policy_quorum_name(const struct su_policy *policy);

/* What a witness said: nothing, or something, and when last. */
struct su_policy_vote {
        bool cosigned;
        int64_t time; /* seconds since 1970 */
};

/* Whether those who cosigned are a quorum; `votes` has su_policy_n_witnesses() elements. */
bool su_policy_is_quorum(const struct su_policy *policy, const struct su_policy_vote *votes);
/* The latest time such that those who cosigned then or later are a quorum: what they vouch for was
 * the log's newest checkpoint at that time. False when there is no quorum, or when it needs nobody.
 */
bool su_policy_quorum_time(const struct su_policy *policy, const struct su_policy_vote *votes,
                           int64_t *ret);

static inline void su_policy_free_p(struct su_policy **policy)
{
        su_policy_free(*policy);
}
#define su_auto_policy su_auto(su_policy_free_p)
