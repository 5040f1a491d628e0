/* Audit a log from its files: that it is the log of the policy, that it only ever grew, that every
 * entry is a release or a recall, and that every manifest it tells of is published. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "improvement/statement.h"
#include "log/place.h"
#include "transparency/head.h"
#include "transparency/policy.h"

struct su_audit_finding {
        uint64_t index; /* of the entry */
        char *message;
};

struct su_audit {
        char *note; /* the checkpoint that was audited */
        struct su_log_head head;
        uint64_t n_releases;
        uint64_t n_recalls;
        struct su_audit_finding *findings; /* entries that are not what they should be */
        size_t n_findings;
        bool has_old; /* it was compared with an earlier checkpoint */
        uint64_t old_size;
};

/* `old_note` (NULL: none) is a checkpoint that was seen before. Whatever is wrong with the log
 * itself is an error: SIGNATURE, NOT_LOGGED (too few witnesses), DIGEST, TRUNCATED, ROLLBACK (it is
 * not the one that was seen before). Whatever is wrong with an entry is a finding. */
int su_audit_make(struct su_place *place, const struct su_policy *policy, const char *old_note,
                  struct su_audit *ret, struct su_error *err);
void su_audit_done(struct su_audit *audit);
#define su_auto_audit su_auto(su_audit_done)

/* The same for a witness: it looks at the log, not at its meaning, and asks for no cosignature of
 * others. Gives the checkpoint's text, which it may cosign. */
int su_audit_for_witness(struct su_place *place, const struct su_policy *policy,
                         const char *old_note, char **ret_note, char **ret_text,
                         struct su_error *err);
