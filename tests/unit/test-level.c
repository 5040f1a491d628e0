#include "support.h"

#include <string.h>

#include "improvement/level.h"

static void test_parse(void **state)
{
        static const char *const good[] = {"a", "z", "aa", "zz"};
        static const char *const bad[] = {"", "A", "aA", "1", "a1", "aaa", " a", "a ", "{", "`"};

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(good); i++) {
                struct su_level level;

                assert_true(su_level_parse(good[i], &level));
                assert_string_equal(level.name, good[i]);
        }
        for (size_t i = 0; i < SU_ELEMENTS(bad); i++) {
                struct su_level level = {"q"};

                assert_false(su_level_parse(bad[i], &level));
                assert_string_equal(level.name, "q");
        }
}

static void test_order(void **state)
{
        static const struct su_level order[] = {{""}, {"a"}, {"b"}, {"z"}, {"aa"}, {"ab"}, {"ba"}};

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(order); i++)
                for (size_t j = 0; j < SU_ELEMENTS(order); j++) {
                        int compared = su_level_compare(&order[i], &order[j]);

                        assert_int_equal(compared < 0, i < j);
                        assert_int_equal(compared == 0, i == j);
                }
}

/* All 702 levels, each newer than the one before. */
static void test_next(void **state)
{
        struct su_level level = {""};
        struct su_level next;
        int n = 0;

        (void)state;
        while (su_level_next(&level, &next)) {
                assert_true(su_level_compare(&level, &next) < 0);
                assert_true(su_level_parse(next.name, &level));
                n++;
        }
        assert_int_equal(n, 26 + 26 * 26);
        assert_string_equal(level.name, "zz");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_next),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
