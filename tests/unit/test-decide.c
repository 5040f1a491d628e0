#include "support.h"

#include <string.h>

#include "device/decide.h"

#define NOW 1780272000

/* A channel of three levels; `recalled` names those that are withdrawn. */
static void make_channel(const char *current, const char *recalled, int percent,
                         struct su_channel *channel)
{
        *channel = (struct su_channel){.baseline = (char *)"os-1", .serial = 7};
        channel->levels = calloc(3, sizeof *channel->levels);
        assert_non_null(channel->levels);
        channel->n_levels = 3;
        for (int i = 0; i < 3; i++) {
                struct su_channel_level *level = &channel->levels[i];
                const char name[] = {(char)('a' + i), '\0'};

                assert_true(su_level_parse(name, &level->level));
                level->rollout = calloc(1, sizeof *level->rollout);
                assert_non_null(level->rollout);
                *level->rollout = (struct su_rollout_step){NOW - 1, percent};
                level->n_rollout = 1;
                if (strchr(recalled, name[0]))
                        level->recall_reason = (char *)"it breaks sound";
        }
        if (current[0])
                assert_true(su_level_parse(current, &channel->current));
}

static void channel_done(struct su_channel *channel)
{
        for (size_t i = 0; i < channel->n_levels; i++)
                free(channel->levels[i].rollout);
        free(channel->levels);
}

static struct su_level level_of(const char *name)
{
        struct su_level level = {0};

        (void)snprintf(level.name, sizeof level.name, "%s", name);
        return level;
}

struct decision_case {
        const char *present;
        const char *current;
        const char *recalled;
        const char *floor;
        const char *fallback;
        const char *removed;
        const char *quarantined;
        int percent;
        enum su_course course;
        const char *level;
        enum su_hold hold;
        const char *refusal; /* NULL: decided */
};

static const struct decision_case cases[] = {
        /* present, current, recalled, floor, fallback, removed, quarantined, percent */
        {"", "a", "", "", "", "", "", 100, SU_COURSE_INSTALL, "a", SU_HOLD_NONE, NULL},
        {"a", "a", "", "", "", "", "", 100, SU_COURSE_STAY, "a", SU_HOLD_NONE, NULL},
        {"a", "b", "", "", "", "", "", 100, SU_COURSE_INSTALL, "b", SU_HOLD_NONE, NULL},
        {"a", "b", "", "", "", "", "", 50, 0, "", 0, "roll-out"},
        /* up to date is up to date, wherever the roll-out is */
        {"b", "b", "", "", "", "", "", 50, SU_COURSE_STAY, "b", SU_HOLD_NONE, NULL},
        /* never to an older level */
        {"b", "a", "", "", "", "", "", 100, SU_COURSE_STAY, "a", SU_HOLD_NONE, NULL},
        {"b", "", "", "", "", "", "", 100, 0, "", 0, "at present"},
        {"", "b", "b", "", "", "", "", 100, 0, "", 0, "was recalled: it breaks sound"},
        {"", "a", "", "b", "", "", "", 100, 0, "", 0, "below (b)"},
        {"", "b", "", "b", "", "", "", 100, SU_COURSE_INSTALL, "b", SU_HOLD_NONE, NULL},
        /* recalled: to the offer, newer or older */
        {"b", "c", "b", "", "a", "", "", 100, SU_COURSE_INSTALL, "c", SU_HOLD_NONE, NULL},
        {"b", "a", "b", "", "", "", "", 100, SU_COURSE_INSTALL, "a", SU_HOLD_NONE, NULL},
        {"b", "c", "b", "", "a", "", "", 50, SU_COURSE_GO_BACK, "a", SU_HOLD_NONE, NULL},
        {"b", "c", "b", "", "a", "", "c", 100, SU_COURSE_GO_BACK, "a", SU_HOLD_NONE, NULL},
        {"b", "c", "b", "", "a", "c", "", 100, SU_COURSE_GO_BACK, "a", SU_HOLD_NONE, NULL},
        {"b", "", "b", "", "a", "", "", 100, SU_COURSE_GO_BACK, "a", SU_HOLD_NONE, NULL},
        {"b", "", "ab", "", "", "", "", 100, SU_COURSE_GO_BACK, "", SU_HOLD_NONE, NULL},
        /* but not below the floor */
        {"b", "", "b", "b", "a", "", "", 100, 0, "", 0, "allows nothing below (b)"},
        {"b", "a", "b", "b", "a", "", "", 100, 0, "", 0, "allows nothing below (b)"},
        {"b", "", "b", "a", "a", "", "", 100, SU_COURSE_GO_BACK, "a", SU_HOLD_NONE, NULL},
        {"b", "", "ab", "a", "", "", "", 100, 0, "", 0, "allows nothing below (a)"},
        {"b", "c", "b", "c", "a", "", "", 100, SU_COURSE_INSTALL, "c", SU_HOLD_NONE, NULL},
        /* what is held for a person */
        {"", "a", "", "", "", "a", "", 100, SU_COURSE_INSTALL, "a", SU_HOLD_REMOVED, NULL},
        {"", "b", "", "", "", "a", "", 100, SU_COURSE_INSTALL, "b", SU_HOLD_NONE, NULL},
        {"", "a", "", "", "", "b", "", 100, SU_COURSE_INSTALL, "a", SU_HOLD_REMOVED, NULL},
        {"", "a", "", "", "", "", "a", 100, SU_COURSE_INSTALL, "a", SU_HOLD_QUARANTINED, NULL},
        {"", "a", "", "", "", "a", "a", 100, SU_COURSE_INSTALL, "a", SU_HOLD_QUARANTINED, NULL},
        {"", "b", "", "", "", "", "a", 100, SU_COURSE_INSTALL, "b", SU_HOLD_NONE, NULL},
};

static const struct su_admin_policy no_policy;

static void check_case(const struct decision_case *expected, size_t number)
{
        su_auto_knowledge struct su_knowledge knowledge = {.floor = level_of(expected->floor),
                                                           .removed = level_of(expected->removed)};
        struct su_channel channel;
        struct su_situation situation = {
                .channel = &channel,
                .knowledge = &knowledge,
                .policy = &no_policy,
                .present = level_of(expected->present),
                .fallback = level_of(expected->fallback),
                .position = 50,
                .now = NOW,
        };
        const struct su_level quarantined = level_of(expected->quarantined);
        struct su_decision decision = {0};
        struct su_error err = {0};
        int r;

        print_message("case %zu\n", number);
        make_channel(expected->current, expected->recalled, expected->percent, &channel);
        if (quarantined.name[0])
                assert_ok(su_refusals_add(&knowledge.quarantine, &quarantined, "x", &err), err);
        r = su_decide(&situation, &decision, &err);
        if (expected->refusal) {
                assert_fails_with(r, err, NOT_OFFERED, expected->refusal);
        } else {
                assert_ok(r, err);
                assert_int_equal(decision.course, expected->course);
                assert_int_equal(decision.hold, expected->hold);
                assert_string_equal(decision.level.name, expected->level);
        }
        channel_done(&channel);
}

static void test_the_rules(void **state)
{
        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++)
                check_case(&cases[i], i);
}

static void check_policy(const struct su_admin_policy *policy, const char *present,
                         const char *recalled, const char *refusal, const char *level)
{
        su_auto_knowledge struct su_knowledge knowledge = {0};
        struct su_channel channel;
        struct su_situation situation = {.channel = &channel,
                                         .knowledge = &knowledge,
                                         .policy = policy,
                                         .present = level_of(present),
                                         .now = NOW};
        struct su_decision decision = {0};
        struct su_error err = {0};
        int r;

        make_channel("c", recalled, 100, &channel);
        r = su_decide(&situation, &decision, &err);
        if (refusal) {
                assert_fails_with(r, err, NOT_OFFERED, refusal);
        } else {
                assert_ok(r, err);
                assert_string_equal(decision.level.name, level);
        }
        channel_done(&channel);
}

/* Level (c) was released a second ago. */
static void check_enforcement(int64_t enforce, int64_t from, bool enforced)
{
        const struct su_admin_policy policy = {.enforce = enforce, .enforce_from = from};
        su_auto_knowledge struct su_knowledge knowledge = {.removed = level_of("c")};
        struct su_channel channel;
        struct su_situation situation = {
                .channel = &channel, .knowledge = &knowledge, .policy = &policy, .now = NOW};
        struct su_decision decision = {0};
        struct su_error err = {0};

        make_channel("c", "", 100, &channel);
        assert_ok(su_decide(&situation, &decision, &err), err);
        assert_int_equal(decision.enforced, enforced);
        assert_int_equal(decision.hold, SU_HOLD_REMOVED);
        channel_done(&channel);
}

static void test_the_administrators_policy(void **state)
{
        const struct su_admin_policy pinned = {.pin = {"b"}};
        const struct su_admin_policy pinned_above = {.pin = {"d"}};
        const struct su_admin_policy skipping = {.skips = {{{"a"}, {"c"}}, 2}};
        const struct su_admin_policy deferring = {.defer = 1};
        const struct su_admin_policy deferring_long = {.defer = 400 * 86400};

        (void)state;
        check_policy(&pinned, "", "", "pinned to (b)", NULL);
        check_policy(&pinned, "b", "", "pinned to (b)", NULL);
        check_policy(&pinned_above, "b", "", NULL, "c");
        check_policy(&skipping, "b", "", "skips it", NULL);
        check_policy(&deferring, "b", "", NULL, "c");
        check_policy(&deferring_long, "b", "", "waits until", NULL);
        /* Who is there already stays. */
        check_policy(&skipping, "c", "", NULL, "c");
        check_policy(&deferring_long, "c", "", NULL, "c");
        check_enforcement(0, 0, false);
        check_enforcement(1, 0, true);
        check_enforcement(2, 0, false);
        check_enforcement(0, NOW, true);
        check_enforcement(0, NOW + 1, false);
        check_enforcement(2, NOW - 1, true);
        /* A recalled level is left all the same: to what was there before. */
        check_policy(&pinned, "b", "b", NULL, "");
        check_policy(&skipping, "b", "b", NULL, "");
}

/* Over all that can come together: nobody ever goes to an older level without a recall, to a
 * recalled level, or below the floor. */
static void check_everything(const char *present, const char *current, const char *recalled,
                             const char *floor, const char *fallback)
{
        su_auto_knowledge struct su_knowledge knowledge = {.floor = level_of(floor)};
        struct su_channel channel;
        struct su_situation situation = {.channel = &channel,
                                         .knowledge = &knowledge,
                                         .policy = &no_policy,
                                         .present = level_of(present),
                                         .fallback = level_of(fallback),
                                         .now = NOW};
        struct su_decision decision = {0};

        make_channel(current, recalled, 100, &channel);
        if (su_decide(&situation, &decision, NULL) >= 0 && decision.course != SU_COURSE_STAY) {
                const bool left = present[0] && strchr(recalled, present[0]);

                if (!left)
                        assert_true(su_level_compare(&decision.level, &situation.present) > 0);
                if (decision.course == SU_COURSE_INSTALL)
                        assert_null(strchr(recalled, decision.level.name[0]));
                assert_true(su_level_compare(&decision.level, &knowledge.floor) >= 0);
        }
        channel_done(&channel);
}

/* Groups come before the percentage, and a pause before both; neither touches what is installed. */
static void test_groups_and_pauses(void **state)
{
        static char *groups[] = {(char *)"canary"};
        static const struct {
                const char *group;
                int percent;
                int64_t paused;
                const char *present;
                const char *refusal;
        } rows[] = {
                {"canary", 0, 0, "", NULL},      {"others", 0, 0, "", "it is at 0 %"},
                {"", 0, 0, "", "it is at 0 %"},  {"canary", 100, NOW, "", "is paused"},
                {"", 100, NOW, "", "is paused"}, {"", 100, NOW, "b", NULL},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(rows); i++) {
                struct su_admin_policy policy = {0};
                struct su_knowledge knowledge = {0};
                struct su_decision decision = {0};
                struct su_channel channel;
                struct su_error err = {0};
                struct su_situation situation = {
                        .channel = &channel,
                        .knowledge = &knowledge,
                        .policy = &policy,
                        .present = level_of(rows[i].present),
                        .position = 60,
                        .now = NOW,
                };

                make_channel("b", "", rows[i].percent, &channel);
                channel.levels[1].groups = groups;
                channel.levels[1].n_groups = 1;
                channel.levels[1].paused = rows[i].paused;
                if (rows[i].group[0])
                        (void)snprintf(policy.groups.names[policy.groups.n_names++], SU_GROUP_SIZE,
                                       "%s", rows[i].group);
                if (rows[i].refusal)
                        assert_fails_with(su_decide(&situation, &decision, &err), err, NOT_OFFERED,
                                          rows[i].refusal);
                else
                        assert_ok(su_decide(&situation, &decision, &err), err);
                channel_done(&channel);
        }
}

static void test_what_never_happens(void **state)
{
        static const char *const levels[] = {"", "a", "b", "c"};
        static const char *const sets[] = {"", "a", "b", "c", "ab", "ac", "bc", "abc"};

        (void)state;
        for (size_t i = 0; i < 4 * 4 * 8 * 4 * 4; i++)
                check_everything(levels[i % 4], levels[i / 4 % 4], sets[i / 16 % 8],
                                 levels[i / 128 % 4], levels[i / 512]);
}

static void test_learning(void **state)
{
        su_auto_knowledge struct su_knowledge knowledge = {.staged = {"b"}};
        struct su_channel channel;
        struct su_error err = {0};

        (void)state;
        make_channel("c", "b", 100, &channel);
        channel.floor = level_of("b");
        assert_ok(su_knowledge_learn(&knowledge, &channel, &err), err);
        assert_int_equal(knowledge.serial, 7);
        assert_string_equal(knowledge.floor.name, "b");
        assert_non_null(su_refusals_find(&knowledge.recalls, &channel.levels[1].level));
        assert_null(su_refusals_find(&knowledge.recalls, &channel.levels[0].level));
        assert_string_equal(knowledge.staged.name, ""); /* it was recalled */
        knowledge.recalls.levels[0].at = 5;
        assert_ok(su_knowledge_learn(&knowledge, &channel, &err), err);
        assert_int_equal(knowledge.recalls.levels[0].at, 5); /* since then */

        channel.floor = level_of("a"); /* lower, in a newer document */
        channel.serial = 8;
        channel.levels[1].recall_reason = NULL;
        assert_ok(su_knowledge_learn(&knowledge, &channel, &err), err);
        assert_string_equal(knowledge.floor.name, "b");
        assert_int_equal(knowledge.recalls.n_levels, 0);

        channel.serial = 7;
        assert_fails_with(su_knowledge_learn(&knowledge, &channel, &err), err, ROLLBACK,
                          "number 8 was seen");
        assert_int_equal(knowledge.serial, 8);
        channel_done(&channel);
}

static void test_refusals(void **state)
{
        struct su_refusals refusals = {0};
        const struct su_level a = {"a"};
        const struct su_level b = {"b"};

        (void)state;
        assert_int_equal(su_refusals_add(&refusals, &a, "first", NULL), 0);
        assert_int_equal(su_refusals_add(&refusals, &b, "other", NULL), 0);
        assert_int_equal(su_refusals_add(&refusals, &a, "second", NULL), 0);
        assert_int_equal(refusals.n_levels, 2);
        assert_string_equal(su_refusals_find(&refusals, &a)->reason, "second");
        su_refusals_drop(&refusals, &b);
        assert_null(su_refusals_find(&refusals, &b));
        su_refusals_drop(&refusals, &b);
        assert_int_equal(refusals.n_levels, 1);
        su_refusals_done(&refusals);
}

static void test_another_baseline_is_another_matter(void **state)
{
        su_auto_knowledge struct su_knowledge knowledge = {0};
        const struct su_level a = {"a"};

        (void)state;
        assert_int_equal(su_knowledge_turn_to(&knowledge, "os-1", NULL), 0);
        knowledge.floor = a;
        assert_int_equal(su_refusals_add(&knowledge.quarantine, &a, "x", NULL), 0);
        assert_int_equal(su_knowledge_turn_to(&knowledge, "os-1", NULL), 0);
        assert_int_equal(knowledge.quarantine.n_levels, 1);
        assert_int_equal(su_knowledge_turn_to(&knowledge, "os-2", NULL), 0);
        assert_int_equal(knowledge.quarantine.n_levels, 0);
        assert_string_equal(knowledge.floor.name, "");
        assert_string_equal(knowledge.baseline, "os-2");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_rules),
                cmocka_unit_test(test_the_administrators_policy),
                cmocka_unit_test(test_groups_and_pauses),
                cmocka_unit_test(test_what_never_happens),
                cmocka_unit_test(test_learning),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_another_baseline_is_another_matter),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
