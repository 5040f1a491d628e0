#include "support.h"

#include <string.h>

#include "base/printable.h"
#include "base/text.h"

static void test_hex(void **state)
{
        static const char *const bad[] = {"", "00", "000", "00000", "0g00", "00FF", " 0ff"};
        const uint8_t bytes[] = {0x00, 0xff, 0x1a};
        uint8_t decoded[3] = {7, 7, 7};
        char text[7];

        (void)state;
        su_hex_encode(bytes, sizeof bytes, text);
        assert_string_equal(text, "00ff1a");
        assert_true(su_hex_decode(text, decoded, sizeof decoded));
        assert_memory_equal(decoded, bytes, sizeof bytes);
        for (size_t i = 0; i < SU_ELEMENTS(bad); i++)
                assert_false(su_hex_decode(bad[i], decoded, 2));
        su_hex_encode(bytes, 0, text);
        assert_string_equal(text, "");
}

static void test_beginnings_and_ends(void **state)
{
        (void)state;
        assert_true(su_starts_with("abc", "ab"));
        assert_true(su_starts_with("abc", ""));
        assert_false(su_starts_with("a", "ab"));
        assert_true(su_ends_with("abc", "bc"));
        assert_true(su_ends_with("abc", "abc"));
        assert_false(su_ends_with("bc", "abc"));
}

static void test_paths(void **state)
{
        static const char *const good[] = {"/a", "/usr/lib/x.so.1", "/..a", "/a/...", "/a b"};
        static const char *const bad[] = {"",      "/",    "a",     "a/b",   "//a",
                                          "/a/",   "/.",   "/a/..", "/../a", "/a/.",
                                          "/a//b", "/a\n", "/\x7f", "./a",   "/a/../b"};
        su_auto_free char *path = malloc(5000);

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(good); i++)
                assert_true(su_path_is_normal(good[i]));
        for (size_t i = 0; i < SU_ELEMENTS(bad); i++)
                assert_false(su_path_is_normal(bad[i]));
        assert_non_null(path);
        memset(path, 'x', 5000);
        path[0] = '/';
        path[256] = '\0';
        assert_true(su_path_is_normal(path));
        path[256] = 'x';
        path[257] = '\0';
        assert_false(su_path_is_normal(path)); /* one part of 256 bytes */
        for (size_t i = 200; i < 5000; i += 200)
                path[i] = '/';
        path[257] = 'x';
        path[4095] = '\0';
        assert_true(su_path_is_normal(path));
        path[4095] = 'x';
        path[4096] = '\0';
        assert_false(su_path_is_normal(path));
}

static void test_names(void **state)
{
        static const char *const good[] = {"a", "0", "debian-12.11~rc1+b_2-x86-64"};
        static const char *const bad[] = {"",    ".",   "..",       ".a",  "-a", "a/b",
                                          "a b", "a\n", "\xc3\xa9", "a:b", "a%"};
        char longest[130];

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(good); i++)
                assert_true(su_name_is_safe(good[i]));
        for (size_t i = 0; i < SU_ELEMENTS(bad); i++)
                assert_false(su_name_is_safe(bad[i]));
        memset(longest, 'a', sizeof longest);
        longest[128] = '\0';
        assert_true(su_name_is_safe(longest));
        longest[128] = 'a';
        longest[129] = '\0';
        assert_false(su_name_is_safe(longest));
}

static void test_languages(void **state)
{
        static const char *const good[] = {"de",       "nds",         "pt_BR",
                                           "sr@latin", "sr_RS@latin", "abc_XY@abcdefghi"};
        static const char *const bad[] = {
                "",
                "d",
                "deut",
                "DE",
                "De",
                "de_",
                "de_D",
                "de_DEU",
                "de_de",
                "de@",
                "de@1",
                "de@A",
                "de_DE.UTF-8",
                "de:fr",
                "de ",
                "de\n",
                "../../x",
                "/de",
                "de/",
                "de;rm",
                "-de",
                "de_DE@a/b",
                "abc_XY@abcdefghij",
                "\xc3\xa9\xc3\xa9",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(good); i++)
                assert_true(su_language_is_valid(good[i]));
        for (size_t i = 0; i < SU_ELEMENTS(bad); i++)
                assert_false(su_language_is_valid(bad[i]));
}

static void test_sanitize(void **state)
{
        char text[] = "a\x1b[2J\n\x7f\xc3\xa9z";

        (void)state;
        su_make_printable_ascii(text);
        assert_string_equal(text, "a?[2J????z");
}

static void test_make_printable(void **state)
{
        static const char *const cases[][2] = {
                {"", ""},
                {"plain ~", "plain ~"},
                {"\t\n\x01\x1f\x7f", "?????"},
                {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
                {"\xc2\x9b\xc2\x80", "????"},                          /* C1 controls */
                {"\xc2\xa0", "\xc2\xa0"},                              /* the first that is none */
                {"\x80\x80 \xbf", "?? ?"},                             /* no first byte */
                {"\xc0\xaf\xc1\xbf", "????"},                          /* overlong */
                {"\xe0\x80\xaf\xf0\x80\x80\xaf", "???????"},           /* overlong */
                {"\xed\xa0\x80", "???"},                               /* a surrogate */
                {"\xf4\x90\x80\x80\xf5\x80\x80\x80\xff", "?????????"}, /* above U+10FFFF */
                {"\xc3", "?"},                                         /* cut off */
                {"\xe2\x82", "??"},
                {"\xf0\x9f\x98", "???"},
                {"\xc3(", "?("},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_free char *text = strdup(cases[i][0]);

                assert_non_null(text);
                su_make_printable(text);
                assert_string_equal(text, cases[i][1]);
        }
}

static void test_format(void **state)
{
        su_auto_free char *formatted = NULL;
        su_auto_free char *copy = NULL;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_format(&formatted, &err, "%s-%d", "a", 5), err);
        assert_string_equal(formatted, "a-5");
        assert_ok(su_strdup("abc", &copy, &err), err);
        assert_string_equal(copy, "abc");
}

static void test_last_line(void **state)
{
        char empty[] = "";
        char one[] = "so it is";
        char several[] = "first\nsecond\nlast one\n\n";
        char blank[] = "\n\n";

        (void)state;
        assert_string_equal(su_last_line(empty), "");
        assert_string_equal(su_last_line(one), "so it is");
        assert_string_equal(su_last_line(several), "last one");
        assert_string_equal(su_last_line(blank), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hex),
                cmocka_unit_test(test_beginnings_and_ends),
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_languages),
                cmocka_unit_test(test_sanitize),
                cmocka_unit_test(test_make_printable),
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_last_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
