#include "support.h"

#include <string.h>

#include "publish/advisory/csaf.h"
#include "publish/advisory/escape.h"
#include "publish/advisory/names.h"

#define GONE "\xef\xbf\xbd"

static char *put(void (*put_text)(FILE *out, const char *text), const char *text)
{
        su_auto_pad struct su_pad pad = {0};
        struct su_error err = {0};
        char *written;
        size_t size;

        assert_ok(su_pad_open(&pad, &err), err);
        put_text(pad.out, text);
        assert_ok(su_pad_take(&pad, &written, &size, &err), err);
        assert_int_equal(size, strlen(written));
        return written;
}

static void test_markup_is_text(void **state)
{
        su_auto_free char *text = put(su_put_escaped, "<a href=\"x\" title='y'>&amp;</a>");

        (void)state;
        assert_string_equal(text,
                            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
}

static void test_markdown_is_text(void **state)
{
        su_auto_free char *text = put(su_put_markdown, "[a](b) <c> *d* `e` #f \\ ~ 1.0-2");

        (void)state;
        assert_string_equal(text, "\\[a\\]\\(b\\) \\<c\\> \\*d\\* \\`e\\` \\#f \\\\ \\~ 1.0-2");
}

static void test_what_cannot_be_shown(void **state)
{
        static const struct {
                const char *text;
                const char *shown;
        } cases[] = {
                {"", ""},
                {"a\tb\nc\rd", "a b c d"},
                {"a\x01\x1b[31m\x7f", "a" GONE GONE "[31m" GONE},
                {"\xc2\x85|\xc2\x9b", GONE "|" GONE},             /* other controls */
                {"a\u202e\u2066b\u2069", "a" GONE GONE "b" GONE}, /* what turns the direction */
                {"\u061c\u200e\u200f\u200b", GONE GONE GONE GONE},
                {"\u2028\u2029\u2060\ufeff", GONE GONE GONE GONE},
                {"\uffff|", GONE "|"},
                {"\u05d0 \u00fc \u20ac \u200d \U0001f512",
                 "\u05d0 \u00fc \u20ac \u200d \U0001f512"},
                {"\xff|\xc3|\xe2\x82|\x80|", GONE "|" GONE "|" GONE "|" GONE "|"},
                {"\xed\xa0\x80|\xf4\x90\x80\x80|\xc0\xaf|", GONE "|" GONE "|" GONE "|"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_free char *plain = NULL;
                su_auto_free char *escaped = put(su_put_escaped, cases[i].text);
                su_auto_json json_t *json = su_plain_string(cases[i].text);
                struct su_error err = {0};

                assert_ok(su_plain_text(cases[i].text, &plain, &err), err);
                assert_string_equal(plain, cases[i].shown);
                assert_string_equal(escaped, cases[i].shown);
                assert_string_equal(json_string_value(json), cases[i].shown);
        }
}

static void test_cves(void **state)
{
        static const char *const cves[] = {"CVE-2026-1234", "CVE-1999-0001", "CVE-2026-1234567"};
        static const char *const others[] = {"CVE-2026-123",   "CVE-26-1234",    "cve-2026-1234",
                                             "CVE-2026-1234x", "CVE-20261-1234", "DSA-1",
                                             "CVE-2026",       "CVE-2026-",      ""};

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cves); i++)
                assert_true(su_advisory_is_cve(cves[i]));
        for (size_t i = 0; i < SU_ELEMENTS(others); i++)
                assert_false(su_advisory_is_cve(others[i]));
}

static void test_where_a_fix_is_written_about(void **state)
{
        const struct {
                struct su_fix fix;
                const char *url;
        } cases[] = {
                {{.id = (char[]){"CVE-2026-1234"}},
                 "https://www.cve.org/CVERecord?id=CVE-2026-1234"},
                {{.id = (char[]){"CVE-2026-1234"}, .url = (char[]){"https://e.example/"}},
                 "https://e.example/"},
                {{.id = (char[]){"DSA-1"}}, NULL},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_free char *url = NULL;
                struct su_error err = {0};

                assert_ok(su_advisory_fix_url(&cases[i].fix, &url, &err), err);
                if (cases[i].url)
                        assert_string_equal(url, cases[i].url);
                else
                        assert_null(url);
        }
}

static void test_names(void **state)
{
        struct su_advisory_config config = {.prefix = (char[]){"SUTURE"},
                                            .url = (char[]){"https://e.example/os"}};
        struct su_channel_level channel_level = {.level = {"b"}};
        const struct su_advised_level level = {.state = &channel_level};
        const struct su_advised subject = {.config = &config,
                                           .baseline = (char[]){"My.OS-12~rc+1-x86-64"},
                                           .version = (char[]){"12"}};
        const struct su_advised rolling = {.version = (char[]){""}};
        su_auto_free char *osv = NULL;
        su_auto_free char *csaf = NULL;
        su_auto_free char *section = NULL;
        su_auto_free char *version = NULL;
        su_auto_free char *other_version = NULL;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_advisory_osv_file(&subject, &level, &osv, &err), err);
        assert_string_equal(osv, "osv/SUTURE-My.OS-12~rc+1-x86-64-b.json");
        assert_ok(su_advisory_csaf_file(&subject, &level, &csaf, &err), err);
        assert_string_equal(csaf, "csaf/suture-my_os-12_rc+1-x86-64-b.json");
        assert_ok(su_advisory_section_url(&subject, &level, &section, &err), err);
        assert_string_equal(section, "https://e.example/os/advisories/My.OS-12~rc+1-x86-64/"
                                     "index.html#level-b");
        assert_ok(su_advisory_version(&subject, &channel_level.level, &version, &err), err);
        assert_string_equal(version, "12 (b)");
        assert_ok(su_advisory_version(&rolling, &channel_level.level, &other_version, &err), err);
        assert_string_equal(other_version, "(b)");
}

/* Feeds of years ago are still subscribed to: the rule never changes. */
static void test_urns_stay(void **state)
{
        su_auto_free char *urn = NULL;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_advisory_urn("", &urn, &err), err);
        assert_string_equal(urn, "urn:uuid:e3b0c442-98fc-8c14-9afb-f4c8996fb924");
}

static void test_carried_components(void **state)
{
        struct su_component first = {.name = (char[]){"openssl"},
                                     .image = {.size = 1, .seal = {{1}}}};
        struct su_component same = first;
        struct su_component changed = {.name = (char[]){"openssl"},
                                       .image = {.size = 1, .seal = {{2}}}};
        struct su_advised_level levels[] = {
                {.manifest = {.components = &first, .n_components = 1}},
                {.manifest = {.components = &same, .n_components = 1}},
                {.manifest = {.components = &changed, .n_components = 1}},
        };
        const struct su_advised subject = {.levels = levels, .n_levels = SU_ELEMENTS(levels)};

        (void)state;
        assert_ptr_equal(su_advised_origin(&subject, &levels[0], &first), &levels[0]);
        assert_ptr_equal(su_advised_origin(&subject, &levels[1], &same), &levels[0]);
        assert_ptr_equal(su_advised_origin(&subject, &levels[2], &changed), &levels[2]);
        assert_false(su_advisory_has_csaf(&levels[0]));
}

static void test_a_configuration(void **state)
{
        su_auto_advisory_config struct su_advisory_config config = {0};
        su_auto_free char *text = strdup("[Publisher]\nName=A B\nUrl=https://e.example//\n"
                                         "[debian-12]\nEcosystem=Debian:12\n[other]\n");
        su_auto_free char *debian = NULL;
        su_auto_free char *other = NULL;
        struct su_error err = {0};

        (void)state;
        assert_non_null(text);
        assert_ok(su_advisory_config_parse("x", text, &config, &err), err);
        assert_string_equal(config.name, "A B");
        assert_string_equal(config.url, "https://e.example");
        assert_string_equal(config.prefix, "SUTURE");
        assert_null(config.contact);
        assert_ok(su_advisory_ecosystem(&config, "debian-12", &debian, &err), err);
        assert_string_equal(debian, "Debian:12");
        assert_ok(su_advisory_ecosystem(&config, "other", &other, &err), err);
        assert_string_equal(other, "Suture:other");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_markup_is_text),
                cmocka_unit_test(test_markdown_is_text),
                cmocka_unit_test(test_what_cannot_be_shown),
                cmocka_unit_test(test_cves),
                cmocka_unit_test(test_where_a_fix_is_written_about),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_urns_stay),
                cmocka_unit_test(test_carried_components),
                cmocka_unit_test(test_a_configuration),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
