#include "support.h"

#include "device/conditions.h"

#define NOON 1780315200 /* UTC, which the test sets */

struct condition_case {
        struct su_surroundings around;
        bool enforced;
        unsigned download;
        unsigned install;
};

enum {
        METERED = SU_CONDITION_METERED,
        BATTERY = SU_CONDITION_BATTERY,
        IN_USE = SU_CONDITION_IN_USE,
        WINDOW = SU_CONDITION_WINDOW,
};

static struct su_surroundings around(bool metered, int battery, bool in_use)
{
        return (struct su_surroundings){
                .metered = metered,
                .on_battery = battery >= 0,
                .battery = battery,
                .in_use = in_use,
        };
}

static void check_all(const struct su_condition_policy *policy, const struct condition_case *cases,
                      size_t n)
{
        for (size_t i = 0; i < n; i++) {
                print_message("case %zu\n", i);
                assert_int_equal(
                        su_conditions_of_download(policy, &cases[i].around, cases[i].enforced),
                        cases[i].download);
                assert_int_equal(
                        su_conditions_of_install(policy, &cases[i].around, cases[i].enforced, NOON),
                        cases[i].install);
        }
}

static void test_all_wait(void **state)
{
        struct su_condition_policy policy = {.battery_min = 20, .waits_for_idle = true};
        const struct condition_case cases[] = {
                {around(false, -1, false), false, 0, WINDOW},
                {around(true, -1, false), false, METERED, WINDOW},
                {around(false, 19, false), false, 0, WINDOW | BATTERY},
                {around(false, 20, false), false, 0, WINDOW},
                {around(false, -1, true), false, 0, WINDOW | IN_USE},
                {around(true, 5, true), false, METERED, WINDOW | BATTERY | IN_USE},
                /* An empty battery is no matter of patience. */
                {around(true, 5, true), true, 0, BATTERY},
        };

        (void)state;
        assert_true(su_window_parse("02:00-05:00", &policy.windows.windows[0]));
        policy.windows.n_windows = 1;
        check_all(&policy, cases, SU_ELEMENTS(cases));
}

static void test_nothing_waits(void **state)
{
        struct su_condition_policy policy = {.ignores_metered = true};
        const struct condition_case cases[] = {
                {around(true, 0, true), false, 0, 0},
                {around(false, -1, false), false, 0, 0},
        };

        (void)state;
        check_all(&policy, cases, SU_ELEMENTS(cases));
        assert_true(su_window_parse("11:00-13:00", &policy.windows.windows[0]));
        policy.windows.n_windows = 1;
        check_all(&policy, cases, SU_ELEMENTS(cases));
}

static void test_names(void **state)
{
        (void)state;
        for (unsigned set = 0; set < 1U << SU_CONDITIONS; set++) {
                su_auto_json json_t *names = su_conditions_to_json(set);

                assert_non_null(names);
                assert_int_equal(su_conditions_from_json(names), set);
        }
        assert_string_equal(su_condition_name(SU_CONDITION_WINDOW), "window");
        assert_string_equal(su_condition_wish(SU_CONDITION_METERED),
                            "a network that is not metered");
        assert_int_equal(su_conditions_from_json(NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_wait),
                cmocka_unit_test(test_nothing_waits),
                cmocka_unit_test(test_names),
        };

        (void)setenv("TZ", "UTC", 1);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
