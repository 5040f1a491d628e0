#include "support.h"

#include <string.h>

#include "edit.h"
#include "improvement/channel.h"

static const char sample[] =
        "{\"type\": \"suture-channel\", \"version\": 1, \"baseline\": \"debian-12-x86-64\","
        " \"serial\": 7, \"current\": \"b\", \"floor\": \"a\", \"levels\": ["
        "{\"level\": \"a\", \"rollout\": [], \"recall\": {\"reason\": \"breaks sound\","
        "  \"at\": \"2026-05-01T00:00:00Z\"}},"
        "{\"level\": \"b\", \"rollout\": ["
        "  {\"from\": \"2026-05-01T00:00:00Z\", \"percent\": 10},"
        "  {\"from\": \"2026-05-02T00:00:00Z\", \"percent\": 100}],"
        " \"paused\": \"2026-05-01T12:00:00Z\", \"groups\": [\"canary\", \"staff-2\"],"
        " \"recall\": null}]}";

#define FIRST 1777593600 /* 2026-05-01 */
#define DAY 86400

static int parse(const char *text, struct su_error *err)
{
        su_auto_channel struct su_channel channel = {0};

        return su_channel_parse(text, strlen(text), &channel, err);
}

static void test_fields(void **state)
{
        su_auto_channel struct su_channel channel = {0};
        const struct su_channel_level *level;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_channel_parse(sample, strlen(sample), &channel, &err), err);
        assert_string_equal(channel.baseline, "debian-12-x86-64");
        assert_int_equal(channel.serial, 7);
        assert_string_equal(channel.current.name, "b");
        assert_string_equal(channel.floor.name, "a");
        level = su_channel_find(&channel, &(struct su_level){"a"});
        assert_non_null(level);
        assert_string_equal(level->recall_reason, "breaks sound");
        assert_int_equal(level->recalled, FIRST);
        level = su_channel_find(&channel, &channel.current);
        assert_null(level->recall_reason);
        assert_int_equal(level->n_rollout, 2);
        assert_int_equal(level->paused, FIRST + DAY / 2);
        assert_int_equal(level->n_groups, 2);
        assert_string_equal(level->groups[1], "staff-2");
        assert_null(su_channel_find(&channel, &(struct su_level){"c"}));
}

/* Older publishers do not say when. */
static void test_a_recall_without_a_time(void **state)
{
        su_auto_free char *text = json_without(sample, "levels/0/recall/at");
        su_auto_channel struct su_channel channel = {0};
        su_auto_free char *again = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_channel_parse(text, strlen(text), &channel, &err), err);
        assert_int_equal(channel.levels[0].recalled, 0);
        assert_ok(su_channel_write(&channel, &again, &size, &err), err);
        assert_null(strstr(again, "\"at\""));
}

static void test_round_trip(void **state)
{
        su_auto_channel struct su_channel first = {0};
        su_auto_channel struct su_channel second = {0};
        su_auto_free char *text = NULL;
        su_auto_free char *again = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_channel_parse(sample, strlen(sample), &first, &err), err);
        assert_ok(su_channel_write(&first, &text, &size, &err), err);
        assert_ok(su_channel_parse(text, size, &second, &err), err);
        assert_ok(su_channel_write(&second, &again, &size, &err), err);
        assert_string_equal(text, again);
        assert_contains(text, "\"reason\":\"breaks sound\"");
}

static void test_nothing_current(void **state)
{
        su_auto_free char *without = json_without(sample, "current");
        su_auto_channel struct su_channel channel = {0};
        su_auto_free char *text = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_channel_parse(without, strlen(without), &channel, &err), err);
        assert_string_equal(channel.current.name, "");
        assert_ok(su_channel_write(&channel, &text, &size, &err), err);
        assert_contains(text, "\"current\":null");
}

static void test_each_missing_field_is_named(void **state)
{
        static const char *const paths[] = {
                "type",
                "version",
                "baseline",
                "serial",
                "levels",
                "levels/0/level",
                "levels/0/rollout",
                "levels/0/recall/reason",
                "levels/1/rollout/0/from",
                "levels/1/rollout/0/percent",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(paths); i++) {
                su_auto_free char *text = json_without(sample, paths[i]);
                const char *slash = strrchr(paths[i], '/');
                struct su_error err = {0};
                char wanted[64];

                (void)snprintf(wanted, sizeof wanted, "'%s' is missing",
                               slash ? slash + 1 : paths[i]);
                assert_fails_with(parse(text, &err), err, FORMAT, wanted);
        }
}

static void test_wrong_values_are_named(void **state)
{
        static const struct {
                const char *path;
                const char *value;
                const char *named;
        } cases[] = {
                {"baseline", "\"a/b\"", "'baseline'"},
                {"serial", "0", "'serial'"},
                {"current", "\"c\"", "current level is not among"},
                {"current", "5", "'current'"},
                {"floor", "\"1\"", "'floor'"},
                {"levels/0/level", "\"\"", "'level'"},
                {"levels/1/rollout/0/percent", "101", "'percent'"},
                {"levels/1/rollout/0/percent", "-1", "'percent'"},
                {"levels/1/rollout/0/from", "\"soon\"", "'from'"},
                {"levels/1/rollout/0/from", "\"2026-05-03T00:00:00Z\"", "order of time"},
                {"levels/0/recall", "\"yes\"", "'recall'"},
                {"levels/0/recall/at", "\"soon\"", "'at'"},
                {"levels/0/recall/at", "7", "'at'"},
                {"levels/1/paused", "\"soon\"", "'paused'"},
                {"levels/1/paused", "true", "'paused'"},
                {"levels/1/groups", "\"canary\"", "'groups'"},
                {"levels/1/groups", "[\"Canary\"]", "'groups'"},
                {"levels/1/groups", "[\"\"]", "'groups'"},
                {"levels/1/groups", "[7]", "'groups'"},
                {"levels/1/groups",
                 "[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
                 "\"a\",\"a\",\"a\","
                 "\"a\"]",
                 "at most 16"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_free char *text = json_with(sample, cases[i].path, cases[i].value);
                struct su_error err = {0};

                assert_fails_with(parse(text, &err), err, FORMAT, cases[i].named);
        }
}

static void test_every_truncation_fails(void **state)
{
        (void)state;
        for (size_t size = 0; size < strlen(sample); size++) {
                struct su_channel channel = {.serial = 77};
                struct su_error err = {0};

                assert_fails(su_channel_parse(sample, size, &channel, &err), err, FORMAT);
                assert_int_equal(channel.serial, 77);
        }
        assert_true(su_channel_parse(sample, 1, &(struct su_channel){0}, NULL) < 0);
}

static void test_rollout_percent(void **state)
{
        su_auto_channel struct su_channel channel = {0};
        const struct su_channel_level *level;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_channel_parse(sample, strlen(sample), &channel, &err), err);
        level = su_channel_find(&channel, &channel.current);
        assert_int_equal(su_rollout_percent(level, FIRST - 1), 0);
        assert_int_equal(su_rollout_percent(level, FIRST), 10);
        assert_int_equal(su_rollout_percent(level, FIRST + DAY - 1), 10);
        assert_int_equal(su_rollout_percent(level, FIRST + DAY), 100);
        level = su_channel_find(&channel, &(struct su_level){"a"});
        assert_int_equal(su_rollout_percent(level, FIRST + DAY), 0);
}

/* printf 'suture-rollout\nID\nBASELINE\nLEVEL\n' | sha256sum; the first 32 bits modulo 100. */
static void test_rollout_position(void **state)
{
        const struct su_level level = {"a"};
        const struct su_level other = {"b"};
        struct su_error err = {0};
        int position;

        (void)state;
        assert_ok(su_rollout_position("0123456789abcdef0123456789abcdef", "debian-12-x86-64",
                                      &level, &position, &err),
                  err);
        assert_int_equal(position, 73);
        assert_ok(su_rollout_position("0123456789abcdef0123456789abcdef", "debian-12-x86-64",
                                      &other, &position, &err),
                  err);
        assert_int_equal(position, 91);
}

/* A roll-out of 10 % reaches about a tenth of the devices. */
static void test_rollout_is_even(void **state)
{
        const struct su_level level = {"a"};
        int reached = 0;

        (void)state;
        for (int i = 0; i < 5000; i++) {
                char machine_id[33];
                int position = -1;

                (void)snprintf(machine_id, sizeof machine_id, "%032x", i);
                assert_int_equal(
                        su_rollout_position(machine_id, "debian-12", &level, &position, NULL), 0);
                assert_in_range(position, 0, 99);
                reached += position < 10;
        }
        assert_in_range(reached, 400, 600);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_a_recall_without_a_time),
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_nothing_current),
                cmocka_unit_test(test_each_missing_field_is_named),
                cmocka_unit_test(test_wrong_values_are_named),
                cmocka_unit_test(test_every_truncation_fails),
                cmocka_unit_test(test_rollout_percent),
                cmocka_unit_test(test_rollout_position),
                cmocka_unit_test(test_rollout_is_even),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
