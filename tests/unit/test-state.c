#include "support.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "device/history.h"
#include "device/state.h"
#include "edit.h"

static const struct su_state sample = {
        .newest = 9,
        .active = 8,
        .previous = 7,
        .transition = 9,
        .level = {"b"},
        .baseline = (char *)"debian-12-x86-64",
        .watched = {.generation = 8},
        .boots = {2, "12345678-1234-1234-1234-123456789abc"},
        .knowledge = {.baseline = (char *)"debian-12-x86-64",
                      .serial = 5,
                      .floor = {"a"},
                      .removed = {"a"},
                      .staged = {"c"}},
        .check = {1780272000, (char *)"Offered", (char *)"12 (b) is offered", {"c"}},
};

static void test_nothing_stored_yet(void **state)
{
        struct scratch *scratch = *state;
        su_auto_state struct su_state loaded = {0};
        su_auto_state struct su_state nowhere = {0};
        struct su_error err = {0};

        assert_ok(su_state_load(scratch->fd, &loaded, &err), err);
        assert_int_equal(loaded.active, 0);
        assert_int_equal(loaded.transition, SU_GENERATION_NONE);
        assert_int_equal(loaded.check.at, 0);
        assert_ok(su_state_load(-EBADF, &nowhere, &err), err);
        assert_int_equal(nowhere.transition, SU_GENERATION_NONE);
}

static void test_round_trip(void **state)
{
        struct scratch *scratch = *state;
        su_auto_state struct su_state loaded = {0};
        struct su_error err = {0};

        assert_ok(su_state_save(scratch->fd, &sample, &err), err);
        assert_ok(su_state_load(scratch->fd, &loaded, &err), err);
        assert_int_equal(loaded.newest, 9);
        assert_int_equal(loaded.active, 8);
        assert_int_equal(loaded.previous, 7);
        assert_int_equal(loaded.transition, 9);
        assert_string_equal(loaded.level.name, "b");
        assert_string_equal(loaded.baseline, "debian-12-x86-64");
        assert_int_equal(loaded.watched.generation, 8);
        assert_int_equal(loaded.boots.tries, 2);
        assert_string_equal(loaded.boots.counted, sample.boots.counted);
        assert_string_equal(loaded.knowledge.baseline, "debian-12-x86-64");
        assert_int_equal(loaded.knowledge.serial, 5);
        assert_string_equal(loaded.knowledge.floor.name, "a");
        assert_string_equal(loaded.knowledge.removed.name, "a");
        assert_string_equal(loaded.knowledge.staged.name, "c");
        assert_int_equal(loaded.check.at, 1780272000);
        assert_string_equal(loaded.check.outcome, "Offered");
        assert_string_equal(loaded.check.message, "12 (b) is offered");
        assert_string_equal(loaded.check.level.name, "c");
}

static void test_empty_round_trip(void **state)
{
        struct scratch *scratch = *state;
        const struct su_state empty = {.transition = SU_GENERATION_NONE};
        su_auto_state struct su_state loaded = {0};
        struct su_error err = {0};

        assert_ok(su_state_save(scratch->fd, &empty, &err), err);
        assert_ok(su_state_load(scratch->fd, &loaded, &err), err);
        assert_null(loaded.baseline);
        assert_null(loaded.check.outcome);
        assert_string_equal(loaded.level.name, "");
}

static void test_damaged_documents(void **state)
{
        struct scratch *scratch = *state;
        static const char *const fields[] = {"type",   "version",  "newest",
                                             "active", "previous", "transition"};
        su_auto_free char *good = NULL;
        struct su_error err = {0};

        assert_ok(su_state_save(scratch->fd, &sample, &err), err);
        good = read_text(scratch->fd, "state.json");
        for (size_t i = 0; i < SU_ELEMENTS(fields); i++) {
                su_auto_free char *text = json_without(good, fields[i]);
                struct su_state loaded = {.newest = 77};

                write_text(scratch->fd, "state.json", text);
                assert_fails_with(su_state_load(scratch->fd, &loaded, &err), err, FORMAT,
                                  fields[i]);
                assert_contains(err.message, "state.json");
                assert_int_equal(loaded.newest, 77);
        }
        write_text(scratch->fd, "state.json", "");
        assert_fails(su_state_load(scratch->fd, &(struct su_state){0}, &err), err, FORMAT);
        assert_true(su_state_load(scratch->fd, &(struct su_state){0}, NULL) < 0);
}

static void test_wrong_values(void **state)
{
        struct scratch *scratch = *state;
        static const char *const cases[][2] = {
                {"active", "-1"},        {"transition", "-2"}, {"level", "\"A\""},
                {"knowledge", "5"},      {"baseline", "[]"},   {"last_check", "3"},
                {"last_check/at", "-1"},
        };
        su_auto_free char *good = NULL;
        struct su_error err = {0};

        assert_ok(su_state_save(scratch->fd, &sample, &err), err);
        good = read_text(scratch->fd, "state.json");
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_free char *text = json_with(good, cases[i][0], cases[i][1]);

                write_text(scratch->fd, "state.json", text);
                assert_fails(su_state_load(scratch->fd, &(struct su_state){0}, &err), err, FORMAT);
        }
}

static void test_a_leftover_temporary_file(void **state)
{
        struct scratch *scratch = *state;
        su_auto_state struct su_state loaded = {0};
        struct su_error err = {0};

        write_text(scratch->fd, "state.json.tmp", "{ torn");
        assert_ok(su_state_save(scratch->fd, &sample, &err), err);
        assert_ok(su_state_load(scratch->fd, &loaded, &err), err);
        assert_int_equal(faccessat(scratch->fd, "state.json.tmp", F_OK, 0), -1);
}

static void test_lock(void **state)
{
        struct scratch *scratch = *state;
        su_auto_close int first = -EBADF;
        su_auto_close int second = -EBADF;
        struct su_error err = {0};

        assert_ok(su_state_lock(scratch->fd, &first, &err), err);
        assert_fails(su_state_lock(scratch->fd, &second, &err), err, BUSY);
        assert_int_equal(second, -EBADF);
        assert_true(su_state_lock(scratch->fd, &second, NULL) < 0);
        su_close_fd(&first);
        assert_ok(su_state_lock(scratch->fd, &second, &err), err);
}

static void append(int fd, const char *text)
{
        su_auto_close int history_fd = openat(fd, "history", O_WRONLY | O_APPEND | O_CREAT, 0644);

        assert_int_equal(su_write_all(history_fd, text, strlen(text), "history", NULL), 0);
}

static void assert_history(int fd, int wanted)
{
        su_auto_json json_t *events = NULL;
        struct su_error err = {0};

        assert_ok(su_history_read(fd, &events, &err), err);
        assert_int_equal(json_array_size(events), wanted);
        for (int i = 0; i < wanted; i++)
                assert_int_equal(
                        json_integer_value(json_object_get(json_array_get(events, (size_t)i), "n")),
                        i);
}

static void test_history(void **state)
{
        struct scratch *scratch = *state;
        struct su_error err = {0};

        assert_history(scratch->fd, 0);
        assert_history(-EBADF, 0);
        for (int i = 0; i < 3; i++)
                assert_ok(su_history_append(scratch->fd, json_pack("{s:i}", "n", i), &err), err);
        assert_history(scratch->fd, 3);
        assert_true(su_history_append(scratch->fd, NULL, &err) < 0);
        assert_history(scratch->fd, 3);
}

static void test_a_message_of_two_lines(void **state)
{
        struct scratch *scratch = *state;
        struct su_error err = {0};

        assert_ok(su_history_append(scratch->fd, json_pack("{s:i, s:s}", "n", 0, "message", "a\nb"),
                                    &err),
                  err);
        assert_history(scratch->fd, 1);
}

/* A power cut in the middle of a line; the next event stands on a line of its own. */
static void test_torn_last_line(void **state)
{
        struct scratch *scratch = *state;
        struct su_error err = {0};

        assert_ok(su_history_append(scratch->fd, json_pack("{s:i}", "n", 0), &err), err);
        append(scratch->fd, "{\"n\":");
        assert_history(scratch->fd, 1);
        assert_ok(su_history_append(scratch->fd, json_pack("{s:i}", "n", 1), &err), err);
        assert_history(scratch->fd, 2);
}

/* Of a history that has become too long the newest part is read. */
static void test_a_long_history(void **state)
{
        struct scratch *scratch = *state;
        su_auto_json json_t *events = NULL;
        su_auto_free char *pad = malloc(4096);
        struct su_error err = {0};

        assert_non_null(pad);
        memset(pad, 'x', 4095);
        pad[4095] = '\0';
        for (int i = 0; i < 4200; i++)
                assert_ok(su_history_append(scratch->fd,
                                            json_pack("{s:i, s:s}", "n", i, "pad", pad), &err),
                          err);
        assert_ok(su_history_read(scratch->fd, &events, &err), err);
        assert_in_range(json_array_size(events), 4000, 4100);
        assert_int_equal(json_integer_value(json_object_get(
                                 json_array_get(events, json_array_size(events) - 1), "n")),
                         4199);
}

static struct su_state at_level(const char *name)
{
        struct su_state state = {
                .active = 1,
                .transition = SU_GENERATION_NONE,
                .waiting_since = 5,
                .boots.tries = 2,
                .knowledge.staged = {"b"},
        };

        assert_true(su_level_parse(name, &state.level));
        return state;
}

static void test_a_transition_to_a_level(void **unused)
{
        static const struct su_level level = {"b"};
        struct su_state state = at_level("a");
        struct su_error err = {0};

        (void)unused;
        su_state_begin(&state, 2, NULL);
        assert_int_equal(state.transition, 2);
        assert_int_equal(state.active, 1);
        assert_ok(su_state_end(&state, 2, &level, strdup("here"), &err), err);
        assert_int_equal(state.active, 2);
        assert_int_equal(state.previous, 1);
        assert_int_equal(state.transition, SU_GENERATION_NONE);
        assert_string_equal(state.baseline, "here");
        assert_string_equal(state.knowledge.staged.name, "");
        assert_int_equal(state.boots.tries, 0);
        assert_int_equal(state.waiting_since, 0);
        su_state_done(&state);
}

/* That a person removed it is known, whoever comes to end the transition. */
static void test_a_removal(void **unused)
{
        static const struct su_level none = {""};
        struct su_state state = at_level("a");
        struct su_error err = {0};

        (void)unused;
        su_state_begin(&state, 0, &state.level);
        su_state_give_up(&state);
        assert_string_equal(state.knowledge.removed.name, "");
        su_state_begin(&state, 0, &state.level);
        assert_ok(su_state_end(&state, 0, &none, NULL, &err), err);
        assert_string_equal(state.knowledge.removed.name, "a");
        assert_string_equal(state.knowledge.staged.name, "b");
        assert_string_equal(state.level.name, "");
        /* The next level fails to come: it stays removed. */
        su_state_begin(&state, 2, NULL);
        su_state_give_up(&state);
        assert_string_equal(state.knowledge.removed.name, "a");
        su_state_done(&state);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_nothing_stored_yet),
                scratch_test(test_round_trip),
                scratch_test(test_empty_round_trip),
                scratch_test(test_damaged_documents),
                scratch_test(test_wrong_values),
                scratch_test(test_a_leftover_temporary_file),
                scratch_test(test_lock),
                scratch_test(test_history),
                scratch_test(test_a_message_of_two_lines),
                scratch_test(test_torn_last_line),
                scratch_test(test_a_long_history),
                cmocka_unit_test(test_a_transition_to_a_level),
                cmocka_unit_test(test_a_removal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
