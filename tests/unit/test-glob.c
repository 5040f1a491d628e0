#include "support.h"

#include "trust/glob.h"

static void test_matches(void **state)
{
        static const struct {
                const char *pattern;
                const char *text;
        } cases[] = {
                {"", ""},
                {"a", "a"},
                {"*", ""},
                {"*", "a"},
                {"*", ".hidden"},
                {"**", "abc"},
                {"*.py", "x.py"},
                {"*.py", ".py"},
                {"a*b*c", "aXbXbXc"},
                {"a*b*c", "abc"},
                {"a?c", "abc"},
                {"?", "\xc3\xa4"},
                {"a?c", "a\xe2\x82\xac"
                        "c"},
                {"?", "\xff"},
                {"releases/*/*", "releases/x/y"},
                {"releases/*/*", "releases//"},
                {"*/b", "a/b"},
                {"a/*", "a/"},
                {"[a-c]x", "bx"},
                {"[!a-c]x", "dx"},
                {"[]]", "]"},
                {"[!]]", "a"},
                {"[a-]", "-"},
                {"[\xc3\xa4-\xc3\xb6]", "\xc3\xa5"},
                {"a[", "a["},
                {"[ab", "[ab"},
                {"\\*", "\\x"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++)
                if (!su_glob_match(cases[i].pattern, cases[i].text))
                        fail_msg("'%s' does not match '%s'", cases[i].pattern, cases[i].text);
}

static void test_no_match(void **state)
{
        static const struct {
                const char *pattern;
                const char *text;
        } cases[] = {
                {"", "a"},
                {"a", ""},
                {"a", "ab"},
                {"ab", "a"},
                {"A", "a"},
                {"*", "a/b"},
                {"*", "/"},
                {"?", "/"},
                {"?", ""},
                {"?", "ab"},
                {"[!a]", "/"},
                {"[.-0]", "/"},
                {"*.py", "a/x.py"},
                {"releases/*/*", "releases/x"},
                {"releases/*/*", "releases/x/y/z"},
                {"a*c", "a/c"},
                {"a*b*c", "aXbX"},
                {"[a-c]", "d"},
                {"[!a-c]", "b"},
                {"[]]", "["},
                {"?", "\xc3\xa4"
                      "x"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++)
                if (su_glob_match(cases[i].pattern, cases[i].text))
                        fail_msg("'%s' matches '%s'", cases[i].pattern, cases[i].text);
}

/* Where a matcher that tries all ways would not come back. */
static void test_many_stars_take_no_time(void **state)
{
        char pattern[2 * 200 + 2];
        char text[4096];

        (void)state;
        for (size_t i = 0; i < 200; i++) {
                pattern[2 * i] = '*';
                pattern[2 * i + 1] = 'a';
        }
        pattern[400] = 'b';
        pattern[401] = '\0';
        for (size_t i = 0; i < sizeof text - 1; i++)
                text[i] = 'a';
        text[sizeof text - 1] = '\0';
        assert_false(su_glob_match(pattern, text));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_matches),
                cmocka_unit_test(test_no_match),
                cmocka_unit_test(test_many_stars_take_no_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
