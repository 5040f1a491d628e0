/* Proofs that something is logged, which can be verified offline (C2SP tlog-proof): the entry's
 * index, how its hash leads to the root, and the cosigned checkpoint that has this root.
 *
 *     c2sp.org/tlog-proof@v1
 *     extra BASE64              optional; nobody vouches for it
 *     index DECIMAL
 *     BASE64                    a hash a line, from the leaf's sibling upwards
 *     (an empty line)
 *     the signed checkpoint
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "transparency/head.h"
#include "transparency/tree.h"

#define SU_LOG_PROOF_SIZE_MAX (128 * 1024)

struct su_log_proof {
        uint64_t index;
        struct su_tree_proof path;
        char *checkpoint; /* the signed note, with a NUL */
        size_t checkpoint_size;
        uint8_t *extra; /* NULL when there is none; "extra" with nothing after it is not NULL */
        size_t extra_size;
};

/* The parts of a proof; nothing is proven yet, and `checkpoint` is not looked into. FORMAT,
 * TOO_LARGE. */
int su_log_proof_parse(const char *text, size_t size, struct su_log_proof *ret,
                       struct su_error *err);
/* `checkpoint` is the signed note; `extra` may be NULL. The caller frees. */
int su_log_proof_format(uint64_t index, const struct su_tree_proof *path, const char *checkpoint,
                        const void *extra, size_t extra_size, char **ret, struct su_error *err);
/* Free what it points to. */
void su_log_proof_clear(struct su_log_proof *proof);
/* Start with {0}. */
#define su_auto_log_proof su_auto(su_log_proof_clear)

/* What a device wants to know: that the log `ret->checkpoint.origin` of the policy has `entry` at
 * `ret_index`, and that enough witnesses saw the log so.
 *
 * Fails as su_log_proof_parse() and su_log_head_verify() do, and with NOT_LOGGED when this entry
 * does not lead to the checkpoint's root. */
int su_log_proof_verify(const struct su_policy *policy, const char *text, size_t size,
                        const void *entry, size_t entry_size, struct su_log_head *ret_head,
                        uint64_t *ret_index, struct su_error *err);
