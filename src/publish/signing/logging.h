/* The workspace's transparency log, for the verbs that put something into it.
 *
 *     keys/log.*       the log's key
 *     log-policy       its verifier key, and the witnesses (C2SP tlog-policy); shipped to devices
 *     public/log/      the log's files
 */
#pragma once

#include "publish/signing/publisher.h"
#include "transparency/policy.h"

#define SU_LOG_POLICY_PATH "log-policy"
#define SU_LOG_KEY_NAME "log"

bool su_log_exists(const struct su_workspace *workspace);
int su_log_read_policy(int dir_fd, const char *path, struct su_policy **ret, struct su_error *err);
int su_log_open_public(const struct su_workspace *workspace, int *ret_fd, struct su_error *err);

/* Append the entry, unless it is there; ask the witnesses; and give the proof, in fresh memory.
 * NULL when the workspace has no log. NOT_LOGGED when too few witnesses have cosigned: the entry is
 * in the log then, and the same call succeeds once they have. */
int su_log_prove_entry(struct su_publisher *publisher, const char *entry, size_t size, char **ret,
                       struct su_error *err);

/* The same for a manifest, which everybody can see from before it is in the log. */
int su_log_prove_release(struct su_publisher *publisher, const struct su_manifest *manifest,
                         char **ret, struct su_error *err);
