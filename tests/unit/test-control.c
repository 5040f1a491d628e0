#include "support.h"

#include <string.h>

#include "publish/debian/control.h"

static const char text[] =
        "\nPackage: x\nVersion: 1:2-3 \nDescription: a\n Version: no field\n\n \n"
        "package:\ty\nEmpty:\n";

static void assert_field(const struct su_control *stanza, const char *name, const char *value)
{
        size_t size = 77;
        const char *found = su_control_field(stanza, name, &size);

        assert_non_null(found);
        assert_int_equal(size, strlen(value));
        assert_memory_equal(found, value, size);
}

static void test_stanzas_and_fields(void **state)
{
        struct su_control stanza;
        size_t size;
        size_t at = 0;

        (void)state;
        assert_true(su_control_next(text, strlen(text), &at, &stanza));
        assert_field(&stanza, "Package", "x");
        assert_field(&stanza, "version", "1:2-3");
        assert_null(su_control_field(&stanza, "Source", &size));
        assert_true(su_control_is(&stanza, "Package", "x"));
        assert_false(su_control_is(&stanza, "Package", "xx"));
        assert_false(su_control_is(&stanza, "Source", ""));
        assert_true(su_control_next(text, strlen(text), &at, &stanza));
        assert_field(&stanza, "Package", "y");
        assert_field(&stanza, "Empty", "");
        assert_null(su_control_field(&stanza, "Version", &size));
        assert_false(su_control_next(text, strlen(text), &at, &stanza));
        assert_false(su_control_next(text, strlen(text), &at, &stanza));
}

/* Wherever the text ends. */
static void test_cut_anywhere(void **state)
{
        (void)state;
        for (size_t size = 0; size < strlen(text); size++) {
                su_auto_free char *cut = malloc(size + 1);
                struct su_control stanza;
                size_t at = 0;
                size_t n = 0;

                assert_non_null(cut);
                memcpy(cut, text, size);
                while (su_control_next(cut, size, &at, &stanza))
                        n++;
                assert_int_equal(n, size <= 1 ? 0 : size <= strlen(text) - 18 ? 1 : 2);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stanzas_and_fields),
                cmocka_unit_test(test_cut_anywhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
