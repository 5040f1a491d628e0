#include "support.h"

#include <string.h>

#include "exposure/oldcode.h"

/* Build-ids of one byte; 0: the file has none. */
static struct su_changed_file changed(const char *path, uint8_t before, uint8_t after)
{
        struct su_changed_file file = {.path = (char *)path, .is_new = before == 0};

        file.before.build_id = (struct su_build_id){before != 0, {before}};
        file.after.build_id = (struct su_build_id){after != 0, {after}};
        return file;
}

static struct su_component component(const char *name, struct su_changed_file *files, size_t n)
{
        return (struct su_component){.name = (char *)name, .files = files, .n_files = n};
}

static struct su_manifest manifest(struct su_component *components, size_t n)
{
        return (struct su_manifest){.components = components, .n_components = n};
}

/* The ids of the set as text: "1 2 3". */
static void assert_ids(const struct su_manifest *from, const struct su_manifest *to,
                       const char *wanted)
{
        su_auto_old_code struct su_old_code_set set = {0};
        struct su_error err = {0};
        char text[64] = "";

        assert_ok(su_old_code_between(from, to, NULL, &set, &err), err);
        for (size_t i = 0; i < set.n_codes; i++) {
                size_t size = strlen(text);

                (void)snprintf(text + size, sizeof text - size, "%s%d", i ? " " : "",
                               set.codes[i].id.bytes[0]);
        }
        assert_string_equal(text, wanted);
}

static void test_first_install(void **state)
{
        struct su_changed_file files[] = {changed("/usr/a", 1, 2), changed("/usr/b", 3, 4)};
        struct su_component components[] = {component("c", files, 2)};
        struct su_manifest to = manifest(components, 1);

        (void)state;
        assert_ids(NULL, &to, "1 3");
}

static void test_removal(void **state)
{
        struct su_changed_file files[] = {changed("/usr/a", 1, 2), changed("/usr/b", 3, 4)};
        struct su_component components[] = {component("c", files, 2)};
        struct su_manifest from = manifest(components, 1);

        (void)state;
        assert_ids(&from, NULL, "2 4");
        assert_ids(NULL, NULL, "");
        assert_ids(&from, &from, "1 3");
}

/* Level b fixes a again, and c for the first time; it no longer touches b. */
static void test_next_level(void **state)
{
        struct su_changed_file old[] = {changed("/usr/a", 1, 2), changed("/usr/b", 3, 4)};
        struct su_changed_file new[] = {changed("/usr/a", 1, 5), changed("/usr/c", 6, 7)};
        struct su_component old_components[] = {component("c", old, 2)};
        struct su_component new_components[] = {component("c", new, 2)};
        struct su_manifest from = manifest(old_components, 1);
        struct su_manifest to = manifest(new_components, 1);

        (void)state;
        assert_ids(&from, &to, "1 2 4 6");
        assert_ids(&to, &from, "1 3 5 7");
}

static void test_files_without_build_ids(void **state)
{
        struct su_changed_file files[] = {changed("/usr/new", 0, 2), changed("/usr/text", 0, 0)};
        struct su_component components[] = {component("c", files, 2)};
        struct su_manifest to = manifest(components, 1);

        (void)state;
        assert_ids(NULL, &to, "");
        assert_ids(&to, NULL, "2");
}

/* A library whose new version has a file name of its own. */
static void test_a_new_file_name(void **state)
{
        struct su_changed_file files[] = {changed("/usr/lib/x.so.1.1", 1, 0),
                                          changed("/usr/lib/x.so.1.2", 0, 2)};
        struct su_component components[] = {component("c", files, 2)};
        struct su_manifest level = manifest(components, 1);

        (void)state;
        files[0].is_gone = true;
        assert_ids(NULL, &level, "1");
        assert_ids(&level, &level, "1");
        assert_ids(&level, NULL, "2");
}

/* The same build under two paths: old only when it is to be seen nowhere. */
static void test_a_build_in_two_places(void **state)
{
        struct su_changed_file files[] = {changed("/usr/a", 1, 2), changed("/usr/b", 2, 3)};
        struct su_component components[] = {component("c", files, 2)};
        struct su_manifest to = manifest(components, 1);

        (void)state;
        assert_ids(NULL, &to, "1");
}

static void test_names(void **state)
{
        struct su_changed_file old[] = {changed("/usr/a", 1, 2)};
        struct su_changed_file new[] = {changed("/usr/a", 1, 3)};
        struct su_component from_components[] = {component("earlier", old, 1)};
        struct su_component to_components[] = {component("later", new, 1)};
        struct su_manifest from = manifest(from_components, 1);
        struct su_manifest to = manifest(to_components, 1);
        su_auto_old_code struct su_old_code_set set = {0};
        struct su_error err = {0};

        (void)state;
        assert_ok(su_old_code_between(&from, &to, NULL, &set, &err), err);
        assert_int_equal(set.n_codes, 2);
        assert_string_equal(set.codes[0].component, "later");
        assert_string_equal(set.codes[1].component, "earlier");
        assert_string_equal(set.codes[0].path, "/usr/a");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_install),
                cmocka_unit_test(test_removal),
                cmocka_unit_test(test_next_level),
                cmocka_unit_test(test_files_without_build_ids),
                cmocka_unit_test(test_a_new_file_name),
                cmocka_unit_test(test_a_build_in_two_places),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
