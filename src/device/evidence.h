/* Evidence that a level is publicly logged: with a log policy on the device, nothing is acted on
 * that is not proven to be in a log which enough witnesses watch. The proof comes with the channel
 * document and is verified here without any request. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/own.h"
#include "improvement/channel.h"
#include "transparency/proof.h"

/* The device's policy (C2SP tlog-policy) from `path` of the OS tree; NULL when there is no such
 * file, which is an error (CONFIG) only if `required`. */
int su_evidence_policy(int root_fd, const char *path, bool required, struct su_policy **ret,
                       struct su_error *err);

/* What is proven. */
struct su_evidence {
        struct su_log_head head; /* the log's checkpoint, and who cosigned it when */
        uint64_t index;          /* of the entry */
};
void su_evidence_done(struct su_evidence *evidence);
#define su_auto_evidence su_auto(su_evidence_done)

/* NOT_LOGGED, SIGNATURE, FORMAT unless `proof` (NULL: there is none) proves that this manifest was
 * released as this level. */
int su_evidence_of_release(const struct su_policy *policy, const char *baseline,
                           const struct su_level *level, const char *manifest, size_t size,
                           const char *proof, struct su_evidence *ret, struct su_error *err);

/* The same for every recall that the channel tells. */
int su_evidence_of_recalls(const struct su_policy *policy, const struct su_channel *channel,
                           struct su_error *err);
