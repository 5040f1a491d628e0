/* The publisher's own log: it is appended to, its checkpoint is signed and cosigned, and its
 * entries are proven. It lies in `log/` of the public directory: `checkpoint` and `tile/`.
 *
 * What is appended is written before the checkpoint that counts it: a kill leaves the old log, or
 * the new one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "crypto/private_key.h"
#include "transparency/head.h"
#include "transparency/policy.h"

struct su_ledger {
        int public_fd;                    /* the caller's, and so is */
        const struct su_policy *policy;   /* whose first log is this one */
        const struct su_private_key *key; /* of the log; NULL: nothing is appended */
        char *note;                       /* the signed checkpoint */
        struct su_checkpoint checkpoint;
};

/* The checkpoint of an empty log. CONFLICT when there is a log already. */
int su_ledger_create(int public_fd, const struct su_note_key *log, const struct su_private_key *key,
                     struct su_error *err);

/* NOT_FOUND when there is no log; SIGNATURE when its checkpoint is not the log's. */
int su_ledger_open(int public_fd, const struct su_policy *policy, const struct su_private_key *key,
                   struct su_ledger *ret, struct su_error *err);
void su_ledger_done(struct su_ledger *ledger);
#define su_auto_ledger su_auto(su_ledger_done)

/* The index of this entry, which is appended unless the log has it already. DIGEST when the files
 * are not the log that the checkpoint says. */
int su_ledger_append(struct su_ledger *ledger, const char *entry, size_t size, uint64_t *ret_index,
                     struct su_error *err);

/* Add to the checkpoint what a witness of the policy answered: signature lines, of which one by
 * each witness is taken over, and none by others. SIGNATURE when there is none to take, or one is
 * wrong.
 */
int su_ledger_add_cosignatures(struct su_ledger *ledger, const char *lines, size_t size,
                               struct su_error *err);

/* Ask each witness of the policy that has a URL and has not cosigned the checkpoint yet. One that
 * fails does not keep the others from being asked: `failed` is told. */
typedef void (*su_witness_failed)(void *userdata, const char *witness,
                                  const struct su_error *error);
int su_ledger_ask_witnesses(struct su_ledger *ledger, su_witness_failed failed, void *userdata,
                            struct su_error *err);

/* The proof (C2SP tlog-proof) that devices with the policy want; NOT_LOGGED until enough witnesses
 * have cosigned. */
int su_ledger_prove(struct su_ledger *ledger, uint64_t index, const char *entry, size_t size,
                    char **ret, struct su_error *err);
