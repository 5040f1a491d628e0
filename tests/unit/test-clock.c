#include "support.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

static void test_round_trip(void **state)
{
        static const struct {
                const char *text;
                int64_t when;
        } cases[] = {
                {"1970-01-01T00:00:00Z", 0},
                {"1969-12-31T23:59:59Z", -1},
                {"2000-02-29T12:30:45Z", 951827445},
                {"2026-06-01T00:00:00Z", 1780272000},
                {"9999-12-31T23:59:59Z", INT64_C(253402300799)},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                char text[SU_TIME_TEXT_SIZE];
                int64_t when;

                assert_true(su_time_parse(cases[i].text, &when));
                assert_true(when == cases[i].when);
                su_time_format(cases[i].when, text);
                assert_string_equal(text, cases[i].text);
        }
}

static void test_refused(void **state)
{
        static const char *const bad[] = {
                "",
                "2026-06-01",
                "2026-06-01T00:00:00",
                "2026-06-01T00:00:00+00:00",
                "2026-06-01t00:00:00z",
                "2026-06-01T00:00:00.0Z",
                "2026-02-29T00:00:00Z",
                "2026-13-01T00:00:00Z",
                "2026-00-01T00:00:00Z",
                "2026-06-31T00:00:00Z",
                "2026-06-01T24:00:00Z",
                "2026-06-01T00:60:00Z",
                "2026-06-01T00:00:60Z",
                "2026-06-01T00:00:00Z ",
                " 2026-06-01T00:00:00Z",
                "-026-06-01T00:00:00Z",
                "2026-06-01T00:00:0 Z",
                "+026-06-01T00:00:00Z",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(bad); i++) {
                int64_t when = 77;

                assert_false(su_time_parse(bad[i], &when));
                assert_int_equal(when, 77);
        }
}

static void test_out_of_range(void **state)
{
        static const int64_t far[] = {INT64_MAX, INT64_MIN, INT64_C(253402300800)};

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(far); i++) {
                char text[SU_TIME_TEXT_SIZE];

                su_time_format(far[i], text);
                assert_string_equal(text, "0000-00-00T00:00:00Z");
        }
}

static void test_now(void **state)
{
        uint64_t begin = su_monotonic_us();
        int64_t now = su_now();

        (void)state;
        assert_true(su_now_us() / 1000000 - (uint64_t)now <= 1);
        assert_true(su_monotonic_us() >= begin);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_out_of_range),
                cmocka_unit_test(test_now),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
