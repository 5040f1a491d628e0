#include "support.h"

#include <string.h>

#include "restart/stale.h"

/* A manager with one unit, active since then. */
static int active_since(void *userdata, const char *unit, uint64_t *ret, struct su_error *err)
{
        (void)err;
        *ret = strcmp(unit, "web.service") == 0 ? *(const uint64_t *)userdata : 0;
        return 0;
}

static struct su_changed_file index_file = {
        .path = (char *)"/usr/share/web/index",
        .before = {.size = 1, .sha256 = {{1}}},
        .after = {.size = 1, .sha256 = {{2}}},
};
static struct su_component component = {
        .name = (char *)"web",
        .files = &index_file,
        .n_files = 1,
};
static const struct su_manifest manifest = {.components = &component, .n_components = 1};

static size_t count(const struct su_manifest *from, const struct su_manifest *to, uint64_t since,
                    const struct su_moment *changed)
{
        char text[] = "[web.service]\nData=/usr/share/web/*\n[web.service]\nData=/usr/share/*\n"
                      "[idle.service]\nData=/usr/share/web/*\n[mail.service]\nData=/usr/mail\n";
        const struct su_units units = {.active_since = active_since, .userdata = &since};
        su_auto_rules struct su_rules rules = {0};
        su_auto_stale struct su_stale stale = {0};
        struct su_error err = {0};

        assert_ok(su_rules_parse("rules", text, &rules, &err), err);
        assert_ok(su_stale_find(from, to, &rules, &units, changed, &stale, &err), err);
        if (stale.n_units > 0) {
                assert_string_equal(stale.units[0].unit, "web.service");
                assert_string_equal(stale.units[0].component, "web");
                assert_string_equal(stale.units[0].path, "/usr/share/web/index");
        }
        return stale.n_units;
}

static void test_who_read_it_before(void **state)
{
        struct su_moment now;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_moment_now(&now, &err), err);
        assert_int_equal(count(NULL, &manifest, 100, NULL), 1); /* still to come */
        assert_int_equal(count(NULL, &manifest, now.monotonic_us - 1, &now), 1);
        assert_int_equal(count(NULL, &manifest, now.monotonic_us, &now), 0);
        assert_int_equal(count(&manifest, NULL, now.monotonic_us - 1, &now), 1);
        assert_int_equal(count(NULL, &manifest, 0, NULL), 0);        /* not active */
        assert_int_equal(count(&manifest, &manifest, 100, NULL), 0); /* the same file */
        assert_int_equal(count(NULL, NULL, 100, NULL), 0);
}

static void test_another_boot_has_read_it_anew(void **state)
{
        const struct su_moment changed = {"00000000-0000-0000-0000-000000000000", UINT64_MAX};

        (void)state;
        assert_int_equal(count(NULL, &manifest, 100, &changed), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_read_it_before),
                cmocka_unit_test(test_another_boot_has_read_it_anew),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
