#include "support.h"

#include <string.h>

#include "improvement/rule.h"

static int parse(const char *text, struct su_rules *rules, struct su_error *err)
{
        su_auto_free char *copy = strdup(text);

        assert_non_null(copy);
        return su_rules_parse("x.conf", copy, rules, err);
}

static const char example[] = "# comment\n"
                              "[web*.service]\n"
                              "Action=wait\n"
                              "\n"
                              "[web1.service]\n"
                              "Action=reload\n"
                              "Data=/usr/share/web/*.html\n"
                              "Data=/usr/share/words\n";

static void check_example(const struct su_rules *rules)
{
        assert_int_equal(rules->n_rules, 2);
        assert_int_equal(su_rules_action(rules, "web2.service"), SU_RULE_WAIT);
        assert_int_equal(su_rules_action(rules, "web1.service"), SU_RULE_RELOAD);
        assert_int_equal(su_rules_action(rules, "mail.service"), SU_RULE_UNSET);
        assert_int_equal(rules->rules[1].n_data, 2);
        assert_true(su_rule_reads(&rules->rules[1], "/usr/share/web/a.html"));
        assert_true(su_rule_reads(&rules->rules[1], "/usr/share/words"));
        assert_false(su_rule_reads(&rules->rules[1], "/usr/share/wordsmith"));
        assert_false(su_rule_reads(&rules->rules[0], "/usr/share/words"));
}

static void test_the_last_rule_wins(void **state)
{
        su_auto_rules struct su_rules rules = {0};
        struct su_error err = {0};

        (void)state;
        assert_ok(parse(example, &rules, &err), err);
        check_example(&rules);
        /* A later file only adds. */
        assert_ok(parse("[web1.service]\nAction=reboot\n", &rules, &err), err);
        assert_int_equal(su_rules_action(&rules, "web1.service"), SU_RULE_REBOOT);
}

static void test_json_there_and_back(void **state)
{
        su_auto_rules struct su_rules rules = {0};
        su_auto_rules struct su_rules back = {0};
        su_auto_json json_t *document = NULL;
        struct su_error err = {0};

        (void)state;
        assert_ok(parse(example, &rules, &err), err);
        document = json_pack("{s:o}", "hints", su_rules_to_json(&rules));
        assert_non_null(document);
        assert_ok(su_rules_from_json(document, "hints", &back, &err), err);
        check_example(&back);
        su_rules_done(&back);
        assert_ok(su_rules_from_json(document, "missing", &back, &err), err);
        assert_int_equal(back.n_rules, 0);
}

static void test_refusals_name_the_line(void **state)
{
        static const struct {
                const char *text;
                const char *named;
        } cases[] = {
                {"Action=wait\n", "x.conf:1: neither a section nor KEY=VALUE"},
                {"[a.service\n", "x.conf:1: '[a.service' is no section"},
                {"[]\n", "is no section"},
                {"[a b.service]\n", "x.conf:1: 'a b.service' is no unit's name"},
                {"[../x]\n", "is no unit's name"},
                {"[a.service]\nAction=kill\n", "x.conf:2: Action= is"},
                {"[a.service]\nFoo=x\n", "x.conf:2: unknown key 'Foo'"},
                {"[a*.service]\nData=/usr/x\n", "Data= needs a section that names one service"},
                {"[a.service]\nData=usr/x\n", "Data= is no absolute path"},
                {"[a.service]\nData=/usr/../etc\n", "Data= is no absolute path"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_rules struct su_rules rules = {0};
                struct su_error err = {0};

                assert_fails_with(parse(cases[i].text, &rules, &err), err, CONFIG, cases[i].named);
        }
}

static void test_json_that_is_no_rule(void **state)
{
        static const char *const cases[] = {
                "{\"hints\": 1}",
                "{\"hints\": [1]}",
                "{\"hints\": [{}]}",
                "{\"hints\": [{\"unit\": \"a b\"}]}",
                "{\"hints\": [{\"unit\": \"a.service\", \"action\": \"kill\"}]}",
                "{\"hints\": [{\"unit\": \"a.service\", \"data\": \"/x\"}]}",
                "{\"hints\": [{\"unit\": \"a.service\", \"data\": [\"x\"]}]}",
                "{\"hints\": [{\"unit\": \"a.service\", \"data\": [7]}]}",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_json json_t *document = NULL;
                su_auto_rules struct su_rules rules = {0};
                struct su_error err = {0};

                assert_ok(su_json_parse(cases[i], strlen(cases[i]), &document, &err), err);
                assert_fails(su_rules_from_json(document, "hints", &rules, &err), err, FORMAT);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_last_rule_wins),
                cmocka_unit_test(test_json_there_and_back),
                cmocka_unit_test(test_refusals_name_the_line),
                cmocka_unit_test(test_json_that_is_no_rule),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
