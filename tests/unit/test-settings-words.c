/* What the panel calls things, and what it concludes from the status document; pure, without a
 * screen. */
#include "support.h"

#include <glib.h>
#include <string.h>

#include "settings/status.h"
#include "settings/words.h"

static json_t *parse(const char *text)
{
        struct su_error err = {0};
        json_t *value;

        assert_ok(su_json_parse(text, strlen(text), &value, &err), err);
        return value;
}

static int in_utc(void **state)
{
        (void)state;
        return g_setenv("TZ", "UTC", TRUE) ? 0 : -1;
}

static void test_times(void **state)
{
        g_autofree char *time = su_words_time("2026-05-01T10:00:00Z");
        g_autofree char *none = su_words_time("soon");

        (void)state;
        assert_string_equal(time, "1 May 2026, 10:00");
        assert_string_equal(none, "soon"); /* what it cannot read it shows as it is */
}

static void test_versions(void **state)
{
        su_auto_json json_t *both = parse("{\"old_version\": \"1\", \"new_version\": \"2\"}");
        su_auto_json json_t *one = parse("{\"old_version\": null, \"new_version\": \"2\"}");
        g_autofree char *from_to = su_words_versions(both);
        g_autofree char *to = su_words_versions(one);

        (void)state;
        assert_string_equal(from_to, "1 → 2");
        assert_string_equal(to, "2");
}

static void test_events(void **state)
{
        static const struct {
                const char *event;
                const char *words;
        } cases[] = {
                {"{\"event\": \"install\", \"outcome\": \"Ok\", \"from\": \"a\", \"to\": \"b\"}",
                 "Installed (b)"},
                {"{\"event\": \"remove\", \"outcome\": \"Ok\", \"from\": \"a\", \"to\": null}",
                 "Removed (a)"},
                {"{\"event\": \"install\", \"outcome\": \"Digest\", \"from\": null, \"to\": \"b\"}",
                 "Installation failed (b)"},
                {"{\"event\": \"take-back\", \"outcome\": \"Ok\", \"from\": \"b\", \"to\": \"a\"}",
                 "Taken back (b)"},
                {"{\"event\": \"dance\", \"outcome\": \"Ok\"}", "dance"}, /* of a newer agent */
                {"{}", ""},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_json json_t *event = parse(cases[i].event);
                g_autofree char *words = su_words_event(event);

                assert_string_equal(words, cases[i].words);
        }
}

static void test_what_is_not_known_is_shown_as_it_is(void **state)
{
        (void)state;
        assert_string_equal(su_words_step("swap"), "Putting in place…");
        assert_string_equal(su_words_step("polish"), "polish");
        assert_string_equal(su_words_automatic("sometimes"), "sometimes");
        assert_string_equal(su_words_condition("moon"), "moon");
        assert_string_equal(su_words_severity("frightful"), "");
        assert_string_equal(su_words_fit("applies"), "");
}

static void test_conclusions(void **state)
{
        static const struct {
                const char *status;
                bool has_offer;
                bool awaits;
                bool leaves;
        } cases[] = {
                {"{}", false, false, false},
                {"{\"offer\": null, \"waiting\": null, \"plan\": null}", false, false, false},
                {"{\"offer\": {}, \"waiting\": {}, \"plan\": [{\"action\": \"restart\"}]}", true,
                 false, false},
                {"{\"waiting\": {}, \"plan\": [{\"action\": \"restart\"}]}", false, true, false},
                {"{\"waiting\": {}, \"plan\": [{\"action\": \"relaunch\"}]}", false, false, false},
                {"{\"state\": \"recalled\", \"last_check\": {\"outcome\": \"Recalled\"}}", false,
                 false, true},
                {"{\"state\": \"recalled\", \"last_check\": {\"outcome\": \"NotOffered\"}}", false,
                 false, false},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_json json_t *status = parse(cases[i].status);

                assert_int_equal(su_status_has_offer(status), cases[i].has_offer);
                assert_int_equal(su_status_awaits_restarts(status), cases[i].awaits);
                assert_int_equal(su_status_leaves_recalled(status), cases[i].leaves);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_versions),
                cmocka_unit_test(test_events),
                cmocka_unit_test(test_what_is_not_known_is_shown_as_it_is),
                cmocka_unit_test(test_conclusions),
        };

        return cmocka_run_group_tests(tests, in_utc, NULL);
}
