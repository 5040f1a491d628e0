#include "support.h"

#include <string.h>

#include "edit.h"
#include "improvement/manifest.h"

#define HASH "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\""
#define FACTS(id) "{\"size\": 5, \"sha256\": " HASH ", \"build_id\": " id "}"

/* Every field once, in an order and with blanks that are not canonical. */
static const char sample[] =
        "{\"type\": \"suture-manifest\", \"version\": 1, \"baseline\": \"debian-12-x86-64\","
        " \"architecture\": \"x86-64\", \"level\": \"b\", \"created\": \"2026-05-01T10:00:00Z\","
        " \"components\": [{\"name\": \"openssl\", \"old_version\": \"3.0.1\","
        "  \"new_version\": \"3.0.2\","
        "  \"image\": {\"size\": 4096, \"seal\": " HASH "},"
        "  \"fixes\": [{\"id\": \"CVE-2026-1\", \"title\": \"a hole\", \"severity\": \"high\","
        "              \"url\": \"https://e.example/?id=CVE-2026-1\","
        "              \"impact\": \"May read memory.\", \"credit\": \"J\u00fcrgen\"}],"
        "  \"files\": [{\"path\": \"/usr/lib/a.so\", \"before\": " FACTS(
                "\"aa01\"") ","
                            "    \"after\": " FACTS(
                                    "\"aa02\"") "},"
                                                "    {\"path\": \"/usr/lib/new.so\", \"before\": "
                                                "null, \"after\": " FACTS(
                                                        "null") "}],"
                                                                "  \"deltas\": [{\"object\": "
                                                                "{\"size\": 7, \"sha256\": " HASH
                                                                "}, \"sources\":"
                                                                "    [{\"path\": "
                                                                "\"/usr/lib/a.so\", \"size\": 5, "
                                                                "\"sha256\": " HASH "}]}]}]}";

static const char overrides[] =
        "[{\"check\": \"abi\", \"path\": \"/usr/lib/a.so\", \"finding\": \"gone\","
        "  \"reason\": \"nobody has it\"}]";

static int parse(const char *text, struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};

        return su_manifest_parse(text, strlen(text), &manifest, err);
}

static void test_fields(void **state)
{
        su_auto_manifest struct su_manifest manifest = {0};
        const struct su_component *component;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_manifest_parse(sample, strlen(sample), &manifest, &err), err);
        assert_string_equal(manifest.baseline, "debian-12-x86-64");
        assert_string_equal(manifest.level.name, "b");
        assert_int_equal(manifest.created, 1777629600);
        component = su_manifest_component(&manifest, "openssl");
        assert_non_null(component);
        assert_null(su_manifest_component(&manifest, "webkit"));
        assert_string_equal(component->fixes[0].severity, "high");
        assert_string_equal(component->fixes[0].url, "https://e.example/?id=CVE-2026-1");
        assert_string_equal(component->fixes[0].impact, "May read memory.");
        assert_string_equal(component->fixes[0].credit, "J\u00fcrgen");
        assert_int_equal(component->image.size, 4096);
        assert_int_equal(component->image.seal.bytes[1], 0x11);
        assert_int_equal(component->n_files, 2);
        assert_int_equal(component->files[0].before.build_id.bytes[1], 0x01);
        assert_false(component->files[0].is_new);
        assert_true(component->files[1].is_new);
        assert_int_equal(component->files[1].after.build_id.size, 0);
        assert_int_equal(component->deltas[0].object.size, 7);
        assert_string_equal(component->deltas[0].sources[0].path, "/usr/lib/a.so");
}

static void test_round_trip(void **state)
{
        su_auto_manifest struct su_manifest first = {0};
        su_auto_manifest struct su_manifest second = {0};
        su_auto_free char *text = NULL;
        su_auto_free char *again = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_manifest_parse(sample, strlen(sample), &first, &err), err);
        assert_ok(su_manifest_write(&first, &text, &size, &err), err);
        assert_int_equal(size, strlen(text));
        assert_ok(su_manifest_parse(text, size, &second, &err), err);
        assert_ok(su_manifest_write(&second, &again, &size, &err), err);
        assert_string_equal(text, again);
}

/* Whatever a publisher's title holds, the device can read it. */
static void test_control_characters_in_text(void **state)
{
        su_auto_free char *odd =
                json_with(sample, "components/0/fixes/0/title", "\"a\\n\\u0001\\\"\\\\\\u007f\"");
        su_auto_manifest struct su_manifest first = {0};
        su_auto_manifest struct su_manifest second = {0};
        su_auto_free char *text = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_manifest_parse(odd, strlen(odd), &first, &err), err);
        assert_ok(su_manifest_write(&first, &text, &size, &err), err);
        assert_ok(su_manifest_parse(text, size, &second, &err), err);
        assert_string_equal(second.components[0].fixes[0].title, "a\n\x01\"\\\x7f");
}

/* Older publishers say neither, and newer ones say a line. */
static void test_impact_and_credit(void **state)
{
        static const char *const paths[] = {
                "components/0/fixes/0/impact",
                "components/0/fixes/0/credit",
        };
        static const char *const wrong[] = {"\"\"", "\"a\\nb\"", "\"\\u009b\"", "7", "[]"};
        char *large = malloc(SU_IMPACT_MAX + 4);

        (void)state;
        assert_non_null(large);
        (void)snprintf(large, SU_IMPACT_MAX + 4, "\"%0*d\"", SU_IMPACT_MAX + 1, 0);
        for (size_t i = 0; i < SU_ELEMENTS(paths); i++) {
                su_auto_free char *without = json_without(sample, paths[i]);
                su_auto_free char *null = json_with(sample, paths[i], "null");
                su_auto_free char *long_one = json_with(sample, paths[i], large);
                struct su_error err = {0};

                assert_ok(parse(without, &err), err);
                assert_ok(parse(null, &err), err);
                assert_fails_with(parse(long_one, &err), err, FORMAT, "is no line of text");
                for (size_t j = 0; j < SU_ELEMENTS(wrong); j++) {
                        su_auto_free char *text = json_with(sample, paths[i], wrong[j]);

                        assert_fails_with(parse(text, &err), err, FORMAT,
                                          strrchr(paths[i], '/') + 1);
                }
        }
        free(large);
}

/* A page that shows it may make a link of it. */
static void test_urls(void **state)
{
        static const char *const wrong[] = {
                "http://e.example/",         "https://",
                "javascript:alert(1)",       "https://e.example/\\\"onload=",
                "https://e.example/<a>",     "https://e.example/ a",
                "https://e.example/\\u00e9",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++) {
                char value[64];
                su_auto_free char *text = NULL;
                struct su_error err = {0};

                (void)snprintf(value, sizeof value, "\"%s\"", wrong[i]);
                text = json_with(sample, "components/0/fixes/0/url", value);
                assert_int_not_equal(parse(text, &err), 0);
                assert_int_equal(err.code, SU_ERROR_FORMAT);
                assert_non_null(strstr(err.message, "url: not an https URL"));
        }
}

/* What a newer publisher says. */
static void test_an_unknown_severity_is_none(void **state)
{
        su_auto_free char *text =
                json_with(sample, "components/0/fixes/0/severity", "\"frightful\"");
        su_auto_manifest struct su_manifest manifest = {0};
        struct su_error err = {0};

        (void)state;
        assert_ok(su_manifest_parse(text, strlen(text), &manifest, &err), err);
        assert_null(manifest.components[0].fixes[0].severity);
}

static void test_each_missing_field_is_named(void **state)
{
        static const char *const paths[] = {
                "type",
                "version",
                "baseline",
                "architecture",
                "level",
                "created",
                "components",
                "components/0/name",
                "components/0/new_version",
                "components/0/image",
                "components/0/image/size",
                "components/0/image/seal",
                "components/0/fixes",
                "components/0/fixes/0/id",
                "components/0/files",
                "components/0/files/0/path",
                "components/0/files/0/after",
                "components/0/files/0/after/size",
                "components/0/files/0/after/sha256",
                "components/0/files/0/before/sha256",
                "components/0/deltas",
                "components/0/deltas/0/object",
                "components/0/deltas/0/object/size",
                "components/0/deltas/0/object/sha256",
                "components/0/deltas/0/sources",
                "components/0/deltas/0/sources/0/path",
                "components/0/deltas/0/sources/0/size",
                "components/0/deltas/0/sources/0/sha256",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(paths); i++) {
                su_auto_free char *text = json_without(sample, paths[i]);
                const char *slash = strrchr(paths[i], '/');
                struct su_error err = {0};
                char wanted[64];

                (void)snprintf(wanted, sizeof wanted, "'%s' is missing",
                               slash ? slash + 1 : paths[i]);
                assert_fails_with(parse(text, &err), err, FORMAT, wanted);
                assert_contains(err.message, "manifest: ");
        }
}

static void test_optional_fields(void **state)
{
        static const char *const paths[] = {
                "components/0/old_version",
                "components/0/fixes/0/title",
                "components/0/fixes/0/severity",
                "components/0/files/0/before",
                "components/0/files/0/after/build_id",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(paths); i++) {
                su_auto_free char *text = json_without(sample, paths[i]);
                struct su_error err = {0};

                assert_ok(parse(text, &err), err);
        }
}

/* A former version of a library: not in the image, and old when it runs. */
static void test_a_file_that_is_gone(void **state)
{
        static const char after[] = "components/0/files/0/after";
        su_auto_free char *text = json_with(sample, after, "null");
        su_auto_free char *neither = json_with(sample, "components/0/files/1/after", "null");
        su_auto_free char *written = NULL;
        su_auto_manifest struct su_manifest first = {0};
        su_auto_manifest struct su_manifest second = {0};
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_manifest_parse(text, strlen(text), &first, &err), err);
        assert_ok(su_manifest_write(&first, &written, &size, &err), err);
        assert_ok(su_manifest_parse(written, size, &second, &err), err);
        assert_true(second.components[0].files[0].is_gone);
        assert_false(second.components[0].files[0].is_new);
        assert_int_equal(second.components[0].files[0].before.size, 5);
        assert_int_equal(second.components[0].files[0].after.build_id.size, 0);
        assert_false(second.components[0].files[1].is_gone);
        assert_fails_with(parse(neither, &err), err, FORMAT, "'after'");
}

/* What a delta is made from is a file of the baseline, or an earlier image. */
static void test_an_image_as_a_source(void **state)
{
        static const char source[] = "components/0/deltas/0/sources/0";
        su_auto_free char *text =
                json_with(sample, source, "{\"image\": {\"size\": 4096, \"seal\": " HASH "}}");
        su_auto_free char *both =
                json_with(text, "components/0/deltas/0/sources/0/path", "\"/usr/lib/a.so\"");
        su_auto_free char *sealless =
                json_without(text, "components/0/deltas/0/sources/0/image/seal");
        su_auto_free char *written = NULL;
        su_auto_manifest struct su_manifest first = {0};
        su_auto_manifest struct su_manifest second = {0};
        const struct su_delta_source_ref *read;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_manifest_parse(text, strlen(text), &first, &err), err);
        assert_ok(su_manifest_write(&first, &written, &size, &err), err);
        assert_ok(su_manifest_parse(written, size, &second, &err), err);
        read = &second.components[0].deltas[0].sources[0];
        assert_null(read->path);
        assert_int_equal(read->image.size, 4096);
        assert_int_equal(read->image.seal.bytes[1], 0x11);
        assert_fails_with(parse(both, &err), err, FORMAT, "both 'image' and 'path'");
        assert_fails_with(parse(sealless, &err), err, FORMAT, "'seal' is missing");
}

static void test_wrong_values_are_named(void **state)
{
        static const struct {
                const char *path;
                const char *value;
                const char *named;
        } cases[] = {
                {"type", "\"suture-channel\"", "suture-channel"},
                {"version", "\"1\"", "'version'"},
                {"baseline", "\"../up\"", "'baseline'"},
                {"baseline", "\"\"", "'baseline'"},
                {"architecture", "\"x/y\"", "'architecture'"},
                {"level", "\"A\"", "'level'"},
                {"level", "\"aaa\"", "'level'"},
                {"created", "\"2026-02-30T00:00:00Z\"", "'created'"},
                {"components", "{}", "'components'"},
                {"components/0", "5", "components[0]"},
                {"components/0/name", "\"a b\"", "'name'"},
                {"components/0/image/size", "0", "'size'"},
                {"components/0/image/size", "-1", "'size'"},
                {"components/0/image/seal", "\"00\"", "'seal'"},
                {"components/0/fixes/0/id", "\"\"", "'id'"},
                {"components/0/fixes/0/title", "5", "'title'"},
                {"components/0/files/0/path", "\"/etc/passwd\"", "'path'"},
                {"components/0/files/0/path", "\"/usr/../etc/passwd\"", "'path'"},
                {"components/0/files/0/path", "\"usr/lib/a.so\"", "'path'"},
                {"components/0/files/0/path", "\"/usr/lib/a.so/\"", "'path'"},
                {"components/0/files/0/path", "\"/usr//a.so\"", "'path'"},
                {"components/0/files/0/path", "\"/usr/a\\u0001\"", "'path'"},
                {"components/0/files/0/after/build_id", "\"\"", "'build_id'"},
                {"components/0/files/0/after/build_id", "\"abc\"", "'build_id'"},
                {"components/0/files/0/after/sha256", "null", "'sha256'"},
                {"components/0/deltas", "[]", "'deltas'"},
                {"components/0/deltas/0/object/size", "0", "'size'"},
                {"components/0/deltas/0/sources/0/path", "\"/var/a\"", "'path'"},
                {"components/0/deltas/0/sources/0/size", "-5", "'size'"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_free char *text = json_with(sample, cases[i].path, cases[i].value);
                struct su_error err = {0};

                assert_fails_with(parse(text, &err), err, FORMAT, cases[i].named);
        }
}

static void test_a_newer_version_is_unsupported(void **state)
{
        su_auto_free char *text = json_with(sample, "version", "2");
        struct su_error err = {0};

        (void)state;
        assert_fails(parse(text, &err), err, UNSUPPORTED);
}

static void test_a_build_id_has_at_most_32_bytes(void **state)
{
        static const char path[] = "components/0/files/0/after/build_id";
        su_auto_free char *fits = json_with(sample, path, HASH);
        su_auto_free char *too_long = NULL;
        char hex[70] = "\"";
        struct su_error err = {0};

        (void)state;
        memset(hex + 1, 'a', 66);
        hex[67] = '"';
        too_long = json_with(sample, path, hex);
        assert_ok(parse(fits, &err), err);
        assert_fails_with(parse(too_long, &err), err, FORMAT, "'build_id'");
}

/* A list with one element more than allowed: "[X,X,...]". */
static char *repeated(const char *path, const char *element, size_t n)
{
        su_auto_free char *list = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&list, &size);

        assert_non_null(out);
        (void)fputc('[', out);
        for (size_t i = 0; i < n; i++)
                (void)fprintf(out, "%s%s", i ? "," : "", element);
        (void)fputc(']', out);
        assert_int_equal(fclose(out), 0);
        return json_with(sample, path, list);
}

static void test_limits(void **state)
{
        static const char source[] = "{\"path\": \"/usr/a\", \"size\": 1, \"sha256\": " HASH "}";
        su_auto_free char *sources = repeated("components/0/deltas/0/sources", source, 4097);
        su_auto_free char *most = repeated("components/0/deltas/0/sources", source, 4096);
        su_auto_free char *fixes = repeated("components/0/fixes", "{\"id\": \"a\"}", 4097);
        su_auto_free char *components = repeated("components", "{}", SU_COMPONENTS_MAX + 1);
        su_auto_free char *deltas = repeated("components/0/deltas", "{}", 65);
        su_auto_free char *files = repeated("components/0/files", "{}", SU_COMPONENT_FILES_MAX + 1);
        const char *const texts[] = {sources, fixes, components, deltas, files};
        struct su_error err = {0};

        (void)state;
        assert_ok(parse(most, &err), err);
        for (size_t i = 0; i < SU_ELEMENTS(texts); i++)
                assert_fails_with(parse(texts[i], &err), err, FORMAT, "more than");
}

static void test_a_name_stands_once(void **state)
{
        su_auto_free char *twice = NULL;
        const char *component = strstr(sample, "{\"name\"");
        char list[4096];
        struct su_error err = {0};

        (void)state;
        (void)snprintf(list, sizeof list, "[%.*s,%.*s]", (int)(strlen(component) - 2), component,
                       (int)(strlen(component) - 2), component);
        twice = json_with(sample, "components", list);
        assert_fails_with(parse(twice, &err), err, FORMAT, "twice");
}

static void test_every_truncation_fails(void **state)
{
        (void)state;
        for (size_t size = 0; size < strlen(sample); size++) {
                struct su_manifest manifest = {.created = 77};
                struct su_error err = {0};

                assert_fails(su_manifest_parse(sample, size, &manifest, &err), err, FORMAT);
                assert_int_equal(manifest.created, 77);
        }
        assert_true(su_manifest_parse(sample, 1, &(struct su_manifest){0}, NULL) < 0);
}

static void test_repository_paths(void **state)
{
        const struct su_level level = {"ab"};
        const struct su_object object = {.size = 1, .sha256 = {{0xab, 0xcd}}};
        su_auto_free char *manifest = NULL;
        su_auto_free char *channel = NULL;
        su_auto_free char *path = NULL;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_manifest_target("debian-12", &level, &manifest, &err), err);
        assert_string_equal(manifest, "debian-12/ab/manifest.json");
        assert_ok(su_channel_target("debian-12", &channel, &err), err);
        assert_string_equal(channel, "debian-12/channel.json");
        assert_ok(su_object_path(&object, &path, &err), err);
        assert_int_equal(strncmp(path, "objects/ab/abcd0000", 19), 0);
        assert_int_equal(strlen(path), 11 + 64);
}

static void test_what_an_image_was_made_with(void **state)
{
        su_auto_free char *text =
                json_with(sample, "components/0/made",
                          "{\"level\": \"a\", \"created\": \"2026-05-01T10:00:00Z\"}");
        su_auto_free char *no_level = json_with(text, "components/0/made/level", "\"?\"");
        su_auto_free char *no_time = json_with(text, "components/0/made/created", "\"now\"");
        su_auto_manifest struct su_manifest manifest = {0};
        su_auto_manifest struct su_manifest again = {0};
        su_auto_free char *written = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_manifest_parse(text, strlen(text), &manifest, &err), err);
        assert_ok(su_manifest_write(&manifest, &written, &size, &err), err);
        assert_ok(su_manifest_parse(written, size, &again, &err), err);
        assert_string_equal(again.components[0].made_for.name, "a");
        assert_int_equal(again.components[0].made_at, 1777629600);
        assert_fails_with(parse(no_level, &err), err, FORMAT, "level");
        assert_fails_with(parse(no_time, &err), err, FORMAT, "not a time");
}

static void test_overrides(void **state)
{
        su_auto_free char *text = json_with(sample, "components/0/overrides", overrides);
        su_auto_free char *broken = json_with(text, "components/0/overrides/0/reason", "1");
        su_auto_manifest struct su_manifest manifest = {0};
        su_auto_manifest struct su_manifest again = {0};
        su_auto_free char *written = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_manifest_parse(text, strlen(text), &manifest, &err), err);
        assert_ok(su_manifest_write(&manifest, &written, &size, &err), err);
        assert_ok(su_manifest_parse(written, size, &again, &err), err);
        assert_int_equal(again.components[0].n_overrides, 1);
        assert_string_equal(again.components[0].overrides[0].check, "abi");
        assert_string_equal(again.components[0].overrides[0].path, "/usr/lib/a.so");
        assert_string_equal(again.components[0].overrides[0].finding, "gone");
        assert_string_equal(again.components[0].overrides[0].reason, "nobody has it");
        assert_fails_with(parse(broken, &err), err, FORMAT, "reason");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_overrides),
                cmocka_unit_test(test_what_an_image_was_made_with),
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_control_characters_in_text),
                cmocka_unit_test(test_impact_and_credit),
                cmocka_unit_test(test_urls),
                cmocka_unit_test(test_an_unknown_severity_is_none),
                cmocka_unit_test(test_each_missing_field_is_named),
                cmocka_unit_test(test_optional_fields),
                cmocka_unit_test(test_a_file_that_is_gone),
                cmocka_unit_test(test_an_image_as_a_source),
                cmocka_unit_test(test_wrong_values_are_named),
                cmocka_unit_test(test_a_newer_version_is_unsupported),
                cmocka_unit_test(test_a_build_id_has_at_most_32_bytes),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_a_name_stands_once),
                cmocka_unit_test(test_every_truncation_fails),
                cmocka_unit_test(test_repository_paths),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
