/* Who is a quorum stays one when more cosign, and the quorum's time is when it was one last. The
 * first eight bytes say who cosigned. */
#include <string.h>

#include "fuzz.h"
#include "transparency/policy.h"

#define VOTES_SIZE 8

static void check_votes(const struct su_policy *policy, const uint8_t *data)
{
        struct su_policy_vote votes[SU_POLICY_WITNESSES_MAX] = {0};
        struct su_policy_vote later[SU_POLICY_WITNESSES_MAX];
        size_t n = su_policy_n_witnesses(policy);
        bool is_quorum;
        int64_t time;

        for (size_t i = 0; i < n; i++)
                votes[i] = (struct su_policy_vote){.cosigned = data[i / 8] >> i % 8 & 1,
                                                   .time = data[i % VOTES_SIZE]};
        is_quorum = su_policy_is_quorum(policy, votes);
        if (su_policy_quorum_time(policy, votes, &time)) {
                fuzz_check(is_quorum);
                for (int64_t since = time; since <= time + 1; since++) {
                        memcpy(later, votes, sizeof later);
                        for (size_t i = 0; i < n; i++)
                                later[i].cosigned &= later[i].time >= since;
                        fuzz_check(su_policy_is_quorum(policy, later) == (since == time));
                }
        } else {
                fuzz_check(!is_quorum || strcmp(su_policy_quorum_name(policy), "none") == 0);
        }
        for (size_t i = 0; is_quorum && i < n; i++) {
                votes[i].cosigned = true;
                fuzz_check(su_policy_is_quorum(policy, votes));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_policy struct su_policy *policy = NULL;

        if (size < VOTES_SIZE || su_policy_parse("policy", (const char *)data + VOTES_SIZE,
                                                 size - VOTES_SIZE, &policy, NULL) < 0)
                return 0;
        fuzz_check(su_policy_n_logs(policy) <= SU_POLICY_LOGS_MAX);
        fuzz_check(su_policy_n_witnesses(policy) <= SU_POLICY_WITNESSES_MAX);
        for (size_t i = 0; i < su_policy_n_logs(policy); i++)
                fuzz_check(su_policy_log(policy, i)->key->type == SU_NOTE_ED25519);
        for (size_t i = 0; i < su_policy_n_witnesses(policy); i++)
                fuzz_check(su_policy_witness(policy, i)->key->type == SU_NOTE_COSIGNATURE);
        check_votes(policy, data);
        return 0;
}
