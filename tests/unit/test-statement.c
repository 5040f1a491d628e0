#include "support.h"

#include <string.h>

#include "improvement/statement.h"

static const struct su_level level_b = {"b"};

/* Its bytes are a format: they never change. */
static const char release[] =
        "{\"baseline\":\"debian-12-x86-64\",\"level\":\"b\",\"manifest\":{\"sha256\":\"ba7816bf"
        "8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\"size\":3},\"type\":\"suture-"
        "release\",\"version\":1}";
static const char recall[] =
        "{\"baseline\":\"debian-12-x86-64\",\"level\":\"b\",\"reason\":\"it \\\"hangs\\\"\","
        "\"type\":\"suture-recall\",\"version\":1}";

static void test_release(void **state)
{
        su_auto_statement struct su_statement statement = {0};
        su_auto_free char *text = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(
                su_statement_of_release("debian-12-x86-64", &level_b, "abc", 3, &text, &size, &err),
                err);
        assert_string_equal(text, release);
        assert_int_equal(size, strlen(release));
        assert_ok(su_statement_parse(text, size, &statement, &err), err);
        assert_int_equal(statement.kind, SU_STATEMENT_RELEASE);
        assert_string_equal(statement.baseline, "debian-12-x86-64");
        assert_string_equal(statement.level.name, "b");
        assert_int_equal(statement.manifest_size, 3);
        assert_int_equal(statement.manifest.bytes[0], 0xba);
        assert_null(statement.reason);
}

static void test_recall(void **state)
{
        su_auto_statement struct su_statement statement = {0};
        su_auto_free char *text = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_statement_of_recall("debian-12-x86-64", &level_b, "it \"hangs\"", &text, &size,
                                         &err),
                  err);
        assert_string_equal(text, recall);
        assert_ok(su_statement_parse(text, size, &statement, &err), err);
        assert_int_equal(statement.kind, SU_STATEMENT_RECALL);
        assert_string_equal(statement.reason, "it \"hangs\"");
}

static void test_one_form_only(void **state)
{
        static const char *const wrong[] = {
                "",
                "5",
                "[]",
                "{}",
                "{\"baseline\":\"d\",\"level\":\"b\",\"reason\":\"r\",\"type\":\"suture-recall\","
                "\"version\":2}",
                "{\"baseline\":\"d\",\"level\":\"\",\"reason\":\"r\",\"type\":\"suture-recall\","
                "\"version\":1}",
                "{\"baseline\":\"d\",\"level\":null,\"reason\":\"r\",\"type\":\"suture-recall\","
                "\"version\":1}",
                "{\"baseline\":\"../"
                "d\",\"level\":\"b\",\"reason\":\"r\",\"type\":\"suture-recall\","
                "\"version\":1}",
                "{\"baseline\": \"d\",\"level\":\"b\",\"reason\":\"r\",\"type\":\"suture-recall\","
                "\"version\":1}",
                "{\"level\":\"b\",\"baseline\":\"d\",\"reason\":\"r\",\"type\":\"suture-recall\","
                "\"version\":1}",
                "{\"baseline\":\"d\",\"level\":\"b\",\"more\":1,\"reason\":\"r\",\"type\":\"suture-"
                "recall\",\"version\":1}",
                "{\"baseline\":\"d\",\"level\":\"b\",\"reason\":\"\\u0072\",\"type\":\"suture-"
                "recall"
                "\",\"version\":1}",
                "{\"baseline\":\"d\",\"level\":\"b\",\"manifest\":{\"sha256\":\"00\",\"size\":3},"
                "\"type\":\"suture-release\",\"version\":1}",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++) {
                struct su_statement statement = {.manifest_size = 77};
                struct su_error err = {0};

                if (su_statement_parse(wrong[i], strlen(wrong[i]), &statement, &err) >= 0)
                        fail_msg("accepted: %s", wrong[i]);
                assert_int_equal(statement.manifest_size, 77);
                assert_true(err.code == SU_ERROR_FORMAT || err.code == SU_ERROR_UNSUPPORTED);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_release),
                cmocka_unit_test(test_recall),
                cmocka_unit_test(test_one_form_only),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
