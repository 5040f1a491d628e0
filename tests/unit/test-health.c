#include "support.h"

#include <string.h>

#include "improvement/health.h"

static int parse(const char *text, struct su_health *health, struct su_error *err)
{
        su_auto_free char *copy = strdup(text);

        assert_non_null(copy);
        return su_health_parse("x.conf", copy, health, err);
}

static void test_a_file(void **state)
{
        su_auto_health struct su_health health = {0};
        struct su_error err = {0};

        (void)state;
        assert_ok(parse("# who\n[nginx*.service]\nCommand = /usr/bin/curl -fsS http://127.0.0.1/\n"
                        "Command=/bin/x\n[*]\nCommand=/bin/y\n",
                        &health, &err),
                  err);
        assert_int_equal(health.n_checks, 3);
        assert_string_equal(health.checks[0].command, "/usr/bin/curl -fsS http://127.0.0.1/");
        assert_true(su_health_is_about(&health.checks[1], "nginx-2.service"));
        assert_false(su_health_is_about(&health.checks[1], "sshd.service"));
        assert_false(su_health_is_general(&health.checks[1]));
        assert_true(su_health_is_general(&health.checks[2]));
}

static void test_files_that_are_none(void **state)
{
        static const struct {
                const char *text;
                const char *why;
        } wrong[] = {
                {"Command=/bin/x\n", "x.conf:1"},
                {"[a b]\n", "no unit's name"},
                {"[a.service]\nCommand=\n", "x.conf:2: Command="},
                {"[a.service]\nCommand=curl\n", "does not begin with an absolute path"},
                {"[a.service]\nCommand=/\n", "does not begin"},
                {"[a.service]\nCommand=/bin/\x01\n", "does not begin"},
                {"[a.service]\nTimeout=5\n", "unknown key 'Timeout'"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++) {
                su_auto_health struct su_health health = {0};
                struct su_error err = {0};

                assert_fails_with(parse(wrong[i].text, &health, &err), err, CONFIG, wrong[i].why);
        }
}

static void test_too_many(void **state)
{
        su_auto_health struct su_health health = {0};
        struct su_error err = {0};

        (void)state;
        for (size_t i = 0; i < SU_HEALTH_CHECKS_MAX; i++)
                assert_ok(su_health_append(&health, "*", "/bin/x", &err), err);
        assert_fails(su_health_append(&health, "*", "/bin/x", &err), err, TOO_LARGE);
}

static void test_the_manifests(void **state)
{
        su_auto_health struct su_health health = {0};
        su_auto_health struct su_health again = {0};
        su_auto_json json_t *document = NULL;
        struct su_error err = {0};

        (void)state;
        assert_ok(parse("[a.service]\nCommand=/bin/x 1\n", &health, &err), err);
        document = json_pack("{s:o}", "health", su_health_to_json(&health));
        assert_ok(su_health_from_json(document, "health", &again, &err), err);
        assert_int_equal(again.n_checks, 1);
        assert_string_equal(again.checks[0].unit, "a.service");
        assert_string_equal(again.checks[0].command, "/bin/x 1");
        su_health_done(&again);
        assert_ok(su_health_from_json(document, "none", &again, &err), err);
        assert_int_equal(again.n_checks, 0);
}

static void test_manifests_that_are_none(void **state)
{
        static const struct {
                const char *text;
                const char *why;
        } wrong[] = {
                {"{\"health\": {}}", "'health' is not an array"},
                {"{\"health\": [{\"unit\": \"a b\", \"command\": \"/x\"}]}", "'unit'"},
                {"{\"health\": [{\"unit\": \"*\"}]}", "'command'"},
                {"{\"health\": [{\"unit\": \"*\", \"command\": \"x\"}]}", "'command'"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++) {
                su_auto_json json_t *document = NULL;
                su_auto_health struct su_health health = {0};
                struct su_error err = {0};

                assert_ok(su_json_parse(wrong[i].text, strlen(wrong[i].text), &document, &err),
                          err);
                assert_fails_with(su_health_from_json(document, "health", &health, &err), err,
                                  FORMAT, wrong[i].why);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_file),
                cmocka_unit_test(test_files_that_are_none),
                cmocka_unit_test(test_too_many),
                cmocka_unit_test(test_the_manifests),
                cmocka_unit_test(test_manifests_that_are_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
