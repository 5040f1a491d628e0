#include "device/evidence.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "improvement/statement.h"

int su_evidence_policy(int root_fd, const char *path, bool required, struct su_policy **ret,
                       struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_open_in_root(root_fd, path, O_RDONLY, &fd, err);
        if (r == -ENOENT && !required) {
                *ret = NULL;
                return 0;
        }
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_CONFIG, "there is no log policy at '%s'", path);
        if (r < 0)
                return r;
        r = su_file_read_fd(fd, path, SU_POLICY_SIZE_MAX, &text, &size, err);
        return r < 0 ? r : su_policy_parse(path, text, size, ret, err);
}

void su_evidence_done(struct su_evidence *evidence)
{
        su_log_head_clear(&evidence->head);
}

static int verify(const struct su_policy *policy, const char *proof, const char *entry, size_t size,
                  struct su_evidence *ret, struct su_error *err)
{
        if (!proof)
                return su_fail(err, SU_ERROR_NOT_LOGGED,
                               "it comes without a proof that it is publicly logged, which this "
                               "device's log policy wants");
        return su_log_proof_verify(policy, proof, strlen(proof), entry, size, &ret->head,
                                   &ret->index, err);
}

int su_evidence_of_release(const struct su_policy *policy, const char *baseline,
                           const struct su_level *level, const char *manifest, size_t size,
                           const char *proof, struct su_evidence *ret, struct su_error *err)
{
        su_auto_free char *entry = NULL;
        size_t entry_size;
        int r;

        r = su_statement_of_release(baseline, level, manifest, size, &entry, &entry_size, err);
        if (r >= 0)
                r = verify(policy, proof, entry, entry_size, ret, err);
        return r < 0 ? su_fail_prefix(err, r, "level (%s)", level->name) : 0;
}

int su_evidence_of_recalls(const struct su_policy *policy, const struct su_channel *channel,
                           struct su_error *err)
{
        for (size_t i = 0; i < channel->n_levels; i++) {
                const struct su_channel_level *level = &channel->levels[i];
                su_auto_evidence struct su_evidence evidence = {0};
                su_auto_free char *entry = NULL;
                size_t size;
                int r;

                if (!level->recall_reason)
                        continue;
                r = su_statement_of_recall(channel->baseline, &level->level, level->recall_reason,
                                           &entry, &size, err);
                if (r >= 0)
                        r = verify(policy, level->recall_proof, entry, size, &evidence, err);
                if (r < 0)
                        return su_fail_prefix(err, r, "the recall of level (%s)",
                                              level->level.name);
        }
        return 0;
}
