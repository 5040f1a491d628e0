#include "support.h"

#include <string.h>

#include "edit.h"
#include "improvement/baseline.h"

#define HASH "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\""

static const char sample[] =
        "{\"type\": \"suture-baseline\", \"version\": 1, \"name\": \"debian-12-x86-64\","
        " \"architecture\": \"x86-64\", \"os_version\": \"12.11\", \"os_name\": \"Debian 12\","
        " \"files\": ["
        "{\"path\": \"/usr/lib/z.so\", \"mode\": 420, \"size\": 5, \"sha256\": " HASH ","
        " \"build_id\": \"ab\"},"
        "{\"path\": \"/usr/lib/a.so\", \"mode\": 493, \"size\": 0, \"sha256\": " HASH ","
        " \"build_id\": null}]}";

static void test_fields_are_sorted(void **state)
{
        su_auto_baseline struct su_baseline baseline = {0};
        const struct su_baseline_file *file;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_baseline_parse(sample, strlen(sample), &baseline, &err), err);
        assert_string_equal(baseline.version, "12.11");
        assert_string_equal(baseline.os_name, "Debian 12");
        assert_int_equal(baseline.n_files, 2);
        assert_string_equal(baseline.files[0].path, "/usr/lib/a.so");
        file = su_baseline_find(&baseline, "/usr/lib/z.so");
        assert_non_null(file);
        assert_int_equal(file->mode, 0644);
        assert_int_equal(file->facts.build_id.size, 1);
        assert_null(su_baseline_find(&baseline, "/usr/lib/b.so"));
        assert_null(su_baseline_find(&(struct su_baseline){0}, "/usr/lib/b.so"));
}

static void test_round_trip(void **state)
{
        su_auto_baseline struct su_baseline first = {0};
        su_auto_baseline struct su_baseline second = {0};
        su_auto_free char *text = NULL;
        su_auto_free char *again = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_baseline_parse(sample, strlen(sample), &first, &err), err);
        assert_ok(su_baseline_write(&first, &text, &size, &err), err);
        assert_ok(su_baseline_parse(text, size, &second, &err), err);
        assert_ok(su_baseline_write(&second, &again, &size, &err), err);
        assert_string_equal(text, again);
}

static void test_each_missing_field_is_named(void **state)
{
        static const char *const paths[] = {
                "type",         "version",      "name",           "architecture",
                "os_version",   "os_name",      "files",          "files/0/path",
                "files/0/mode", "files/0/size", "files/0/sha256",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(paths); i++) {
                su_auto_free char *text = json_without(sample, paths[i]);
                struct su_baseline baseline = {.n_files = 77};
                const char *slash = strrchr(paths[i], '/');
                struct su_error err = {0};
                char wanted[64];

                (void)snprintf(wanted, sizeof wanted, "'%s' is missing",
                               slash ? slash + 1 : paths[i]);
                assert_fails_with(su_baseline_parse(text, strlen(text), &baseline, &err), err,
                                  FORMAT, wanted);
                assert_int_equal(baseline.n_files, 77);
        }
}

static void test_wrong_values(void **state)
{
        static const char *const cases[][2] = {
                {"files/0/mode", "4096"},       {"files/0/mode", "-1"}, {"files/0/size", "-1"},
                {"files/0/path", "\"/etc/a\""}, {"name", "\"..\""},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_free char *text = json_with(sample, cases[i][0], cases[i][1]);
                struct su_baseline baseline;
                struct su_error err = {0};

                assert_fails(su_baseline_parse(text, strlen(text), &baseline, &err), err, FORMAT);
        }
}

static void test_where_a_prefix_begins(void **state)
{
        struct su_baseline_file files[] = {{.path = (char *)"/usr/a"},
                                           {.path = (char *)"/usr/b/x"},
                                           {.path = (char *)"/usr/b/y"}};
        const struct su_baseline baseline = {.files = files, .n_files = SU_ELEMENTS(files)};
        const struct su_baseline empty = {0};

        (void)state;
        assert_int_equal(su_baseline_first(&baseline, "/usr/"), 0);
        assert_int_equal(su_baseline_first(&baseline, "/usr/b/"), 1);
        assert_int_equal(su_baseline_first(&baseline, "/usr/b/y"), 2);
        assert_int_equal(su_baseline_first(&baseline, "/usr/c"), 3);
        assert_int_equal(su_baseline_first(&empty, "/usr"), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fields_are_sorted),
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_each_missing_field_is_named),
                cmocka_unit_test(test_wrong_values),
                cmocka_unit_test(test_where_a_prefix_begins),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
