#include "transparency/head.h"

#include <string.h>

#include "transparency/cosignature.h"

void su_log_head_clear(struct su_log_head *head)
{
        su_checkpoint_clear(&head->checkpoint);
        *head = (struct su_log_head){0};
}

static struct su_log_head take_head(struct su_log_head *head)
{
        struct su_log_head taken = *head;

        *head = (struct su_log_head){0};
        return taken;
}

/* Every signature by a log that is known here is checked, and one by the log that the checkpoint is
 * of must be there: its key's name is the origin (C2SP tlog-policy, "Defining a log"). */
static int check_logs(const struct su_policy *policy, const struct su_note *note,
                      struct su_log_head *head, struct su_error *err)
{
        bool is_known = false;
        bool found = false;

        for (size_t i = 0; i < su_policy_n_logs(policy); i++) {
                const struct su_note_key *key = su_policy_log(policy, i)->key;
                bool is_its_log = strcmp(key->name, head->checkpoint.origin) == 0;
                bool is_signed;
                int r;

                r = su_note_check(note, key, &is_signed, err);
                if (r < 0)
                        return r;
                is_known |= is_its_log;
                if (is_its_log && is_signed && !found) {
                        head->log = i;
                        found = true;
                }
        }
        if (!is_known)
                return su_fail(err, SU_ERROR_SIGNATURE, "'%s' is no log that is trusted here",
                               head->checkpoint.origin);
        if (!found)
                return su_fail(err, SU_ERROR_SIGNATURE,
                               "the checkpoint is not signed by its log '%s'",
                               head->checkpoint.origin);
        return 0;
}

static int check_witnesses(const struct su_policy *policy, const struct su_note *note,
                           struct su_log_head *head, struct su_error *err)
{
        for (size_t i = 0; i < su_policy_n_witnesses(policy); i++) {
                struct su_policy_vote *vote = head->votes + i;
                int r;

                r = su_cosignature_check(note, su_policy_witness(policy, i)->key, &vote->cosigned,
                                         &vote->time, err);
                if (r < 0)
                        return r;
                head->n_cosigned += vote->cosigned;
        }
        if (!su_policy_is_quorum(policy, head->votes))
                return su_fail(err, SU_ERROR_NOT_LOGGED,
                               "%zu of the %zu witnesses that are trusted here have cosigned the "
                               "checkpoint of '%s', which is not the quorum '%s'",
                               head->n_cosigned, su_policy_n_witnesses(policy),
                               head->checkpoint.origin, su_policy_quorum_name(policy));
        head->has_time = su_policy_quorum_time(policy, head->votes, &head->time);
        return 0;
}

int su_log_head_verify(const struct su_policy *policy, const char *data, size_t size,
                       struct su_log_head *ret, struct su_error *err)
{
        su_auto_log_head struct su_log_head head = {0};
        su_auto_note struct su_note *note = NULL;
        int r;

        r = su_note_parse(data, size, &note, err);
        if (r >= 0)
                r = su_checkpoint_parse(note->text, note->text_size, &head.checkpoint, err);
        if (r >= 0)
                r = check_logs(policy, note, &head, err);
        if (r >= 0)
                r = check_witnesses(policy, note, &head, err);
        if (r < 0)
                return r;
        *ret = take_head(&head);
        return 0;
}
