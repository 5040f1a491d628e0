#include "support.h"

#include <string.h>
#include <time.h>

#include "restart/due.h"

/* A Wednesday. */
#define MIDNIGHT INT64_C(1767744000) /* 2026-01-07T00:00:00Z */
#define HOURS(h) ((int64_t)(h)*3600)

static int in_utc(void **state)
{
        (void)state;
        if (setenv("TZ", "UTC", 1) < 0)
                return -1;
        tzset();
        return 0;
}

static struct su_restart_policy policy_of(const char *window)
{
        struct su_restart_policy policy = {.windows.n_windows = 1};

        assert_true(su_window_parse(window, &policy.windows.windows[0]));
        return policy;
}

static void test_no_window_is_always_open(void **state)
{
        const struct su_restart_policy policy = {0};

        (void)state;
        assert_true(su_restart_is_open(&policy, MIDNIGHT));
        assert_int_equal(su_restart_opens(&policy, MIDNIGHT + 7), MIDNIGHT + 7);
}

static void test_a_window_of_every_day(void **state)
{
        const struct su_restart_policy policy = policy_of("02:00-05:00");

        (void)state;
        assert_false(su_restart_is_open(&policy, MIDNIGHT + HOURS(2) - 1));
        assert_true(su_restart_is_open(&policy, MIDNIGHT + HOURS(2)));
        assert_true(su_restart_is_open(&policy, MIDNIGHT + HOURS(5) - 1));
        assert_false(su_restart_is_open(&policy, MIDNIGHT + HOURS(5)));
        assert_int_equal(su_restart_opens(&policy, MIDNIGHT + HOURS(6) + 17), MIDNIGHT + HOURS(26));
}

static void test_a_window_over_midnight(void **state)
{
        const struct su_restart_policy policy = policy_of("Tue 22:00-06:00");

        (void)state;
        assert_true(su_restart_is_open(&policy, MIDNIGHT - HOURS(2)));
        assert_true(su_restart_is_open(&policy, MIDNIGHT + HOURS(5)));
        assert_false(su_restart_is_open(&policy, MIDNIGHT + HOURS(23)));
        assert_false(su_restart_is_open(&policy, MIDNIGHT - HOURS(19)));
        assert_int_equal(su_restart_opens(&policy, MIDNIGHT + HOURS(6)),
                         MIDNIGHT + HOURS(6 * 24 + 22));
}

static void test_the_whole_day(void **state)
{
        const struct su_restart_policy policy = policy_of("Sat,Wed 00:00-24:00");

        (void)state;
        assert_true(su_restart_is_open(&policy, MIDNIGHT + HOURS(12)));
        assert_false(su_restart_is_open(&policy, MIDNIGHT + HOURS(24)));
}

static void test_windows_that_are_none(void **state)
{
        static const char *const wrong[] = {
                "",
                "02:00",
                "2:00-5:00",
                "02:00-05:00 ",
                "25:00-05:00",
                "02:60-3:00",
                "02:00-24:01",
                "Xyz 02:00-05:00",
                ",Mon 02:00-05:00",
                "Mon, 02:00-05:00",
                "Mon",
                "Mon02:00-05:00",
                "02:00 05:00",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++) {
                struct su_window window;

                if (su_window_parse(wrong[i], &window))
                        fail_msg("'%s' was taken for a window", wrong[i]);
        }
}

static void test_durations(void **state)
{
        int64_t seconds = 0;

        (void)state;
        assert_true(su_duration_parse("90", &seconds) && seconds == 90);
        assert_true(su_duration_parse("5min", &seconds) && seconds == 300);
        assert_true(su_duration_parse("12h", &seconds) && seconds == 43200);
        assert_true(su_duration_parse("3d", &seconds) && seconds == 259200);
        assert_false(su_duration_parse("", &seconds));
        assert_false(su_duration_parse("-1d", &seconds));
        assert_false(su_duration_parse("3 d", &seconds));
        assert_false(su_duration_parse("99999999999999999999", &seconds));
}

/* In a zone with summer time: 2026-03-29 has no two o'clock, 2026-10-25 has it twice. (Berlin) */
static void test_tonight(void **state)
{
        static const struct {
                int64_t now;
                int64_t tonight;
        } cases[] = {
                {1780000000, 1780012800}, /* 2026-05-28 22:26:40 -> 02:00 */
                {1780012799, 1780012800}, /* 01:59:59 -> the same night */
                {1780012800, 1780099200}, /* 02:00 -> the next one */
                {1774735200,
                 1774746000}, /* 2026-03-28 23:00 -> 03:00, the first minute of summer */
                {1792882800, 1792890000}, /* 2026-10-25 01:00 in summer -> the second two o'clock */
        };

        (void)state;
        assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
        tzset();
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++)
                assert_int_equal(su_restart_tonight(cases[i].now), cases[i].tonight);
        assert_int_equal(unsetenv("TZ"), 0);
        tzset();
}

/* A wish that was made while the clock was years ahead binds nobody for years. */
static void test_a_wish_holds_for_a_night(void **state)
{
        (void)state;
        assert_int_equal(su_restart_put_off_until(MIDNIGHT + HOURS(2), MIDNIGHT),
                         MIDNIGHT + HOURS(2));
        assert_int_equal(su_restart_put_off_until(MIDNIGHT + HOURS(25), MIDNIGHT),
                         MIDNIGHT + HOURS(25));
        assert_int_equal(su_restart_put_off_until(MIDNIGHT + HOURS(26), MIDNIGHT), MIDNIGHT);
        assert_int_equal(su_restart_put_off_until(MIDNIGHT, MIDNIGHT), MIDNIGHT);
        assert_int_equal(su_restart_put_off_until(0, MIDNIGHT), MIDNIGHT);
}

static void test_the_deadline(void **state)
{
        struct su_restart_policy policy = policy_of("Mon 02:00-03:00");

        (void)state;
        assert_false(su_restart_is_due(&policy, MIDNIGHT - HOURS(100), MIDNIGHT));
        policy.deadline = HOURS(24);
        assert_true(su_restart_is_overdue(&policy, MIDNIGHT - HOURS(24), MIDNIGHT));
        assert_false(su_restart_is_overdue(&policy, MIDNIGHT - HOURS(23), MIDNIGHT));
        assert_false(su_restart_is_overdue(&policy, 0, MIDNIGHT)); /* nothing waits */
        assert_false(su_restart_is_due(&policy, MIDNIGHT - HOURS(24), MIDNIGHT));
        policy.restart_overdue = true;
        assert_true(su_restart_is_due(&policy, MIDNIGHT - HOURS(24), MIDNIGHT));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_window_is_always_open),
                cmocka_unit_test(test_a_window_of_every_day),
                cmocka_unit_test(test_a_window_over_midnight),
                cmocka_unit_test(test_the_whole_day),
                cmocka_unit_test(test_windows_that_are_none),
                cmocka_unit_test(test_durations),
                cmocka_unit_test(test_tonight),
                cmocka_unit_test(test_a_wish_holds_for_a_night),
                cmocka_unit_test(test_the_deadline),
        };

        return cmocka_run_group_tests(tests, in_utc, NULL);
}
