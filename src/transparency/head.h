/* A log's checkpoint as a policy accepts it: signed by the log, cosigned by a quorum. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transparency/checkpoint.h"
#include "transparency/note.h"
#include "transparency/policy.h"

struct su_log_head {
        struct su_checkpoint checkpoint;
        size_t log; /* which of the policy's logs */
        /* What each witness of the policy said, in the policy's order. */
        struct su_policy_vote votes[SU_POLICY_WITNESSES_MAX];
        size_t n_cosigned;
        /* su_policy_quorum_time(); not there when the policy's quorum is "none". Whether it is too
         * long ago, or in the future, is for the caller to say. */
        bool has_time;
        int64_t time;
};

/* A signed checkpoint.
 *
 * FORMAT, TOO_LARGE: it is none. SIGNATURE: no log of the policy whose name is the checkpoint's
 * origin has signed it, or a signature by some log or witness of the policy is wrong. NOT_LOGGED:
 * too few witnesses have cosigned it. */
int su_log_head_verify(const struct su_policy *policy, const char *data, size_t size,
                       struct su_log_head *ret, struct su_error *err);
/* Free what it points to. */
void su_log_head_clear(struct su_log_head *head);
/* Start with {0}. */
#define su_auto_log_head su_auto(su_log_head_clear)
