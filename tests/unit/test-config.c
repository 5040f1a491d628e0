#include "support.h"

#include <string.h>
#include <unistd.h>

#include "device/config.h"

#define PATH "etc/suture/suture.conf"

static int load(struct scratch *scratch, const char *text, struct su_config *ret,
                struct su_error *err)
{
        if (text)
                write_text(scratch->fd, PATH, text);
        return su_config_load(scratch->fd, ret, err);
}

static void test_defaults(void **state)
{
        su_auto_config struct su_config missing = {0};
        su_auto_config struct su_config empty = {0};
        struct su_error err = {0};

        assert_ok(load(*state, NULL, &missing, &err), err);
        assert_null(missing.repository);
        assert_string_equal(missing.trusted_root, SU_TRUSTED_ROOT_PATH);
        assert_ok(load(*state, "", &empty, &err), err);
        assert_null(empty.repository);
}

static void test_values(void **state)
{
        su_auto_config struct su_config config = {0};
        struct su_error err = {0};

        assert_ok(load(*state,
                       "# a comment\n; another\n\n [Source] \r\n"
                       "Repository = https://example.org/?a=b \n"
                       "TrustedRoot=/usr/lib/root.json\n"
                       "Repository=https://example.org/last",
                       &config, &err),
                  err);
        assert_string_equal(config.repository, "https://example.org/last");
        assert_string_equal(config.trusted_root, "/usr/lib/root.json");
}

static void test_refusals_name_the_line(void **state)
{
        static const struct {
                const char *text;
                const char *named;
        } cases[] = {
                {"[Source]\n\nColour=red\n", "suture.conf:3: unknown key 'Colour'"},
                {"[Other]\n", "suture.conf:1: unknown section [Other]"},
                {"\n[Source\n", "suture.conf:2: '[Source' is no section"},
                {"Repository=x\n", "suture.conf:1: neither"},
                {"[Source]\nRepository\n", "suture.conf:2: neither"},
                {"[Source]\nTrustedRoot=etc/root.json\n", "suture.conf:2: TrustedRoot="},
                {"[Source]\nTrustedRoot=/etc/../root.json\n", "suture.conf:2: TrustedRoot="},
                {"[Source]\nrepository=x\n", "unknown key 'repository'"},
                {"[Source]\n=x\n", "neither a section nor KEY=VALUE"},
                {"[Restart]\nWindow=2-5\n", "suture.conf:2: Window= is not like"},
                {"[Restart]\nDeadline=soon\n", "Deadline= is not like"},
                {"[Restart]\nAfterDeadline=shout\n", "announce or restart"},
                {"[Restart]\nRepository=x\n", "unknown key 'Repository' in [Restart]"},
        };

        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                struct su_config config = {.repository = (char *)"untouched"};
                struct su_error err = {0};

                assert_fails_with(load(*state, cases[i].text, &config, &err), err, CONFIG,
                                  cases[i].named);
                assert_string_equal(config.repository, "untouched");
        }
        assert_true(load(*state, "[X]", &(struct su_config){0}, NULL) < 0);
}

static void test_restart_policy(void **state)
{
        su_auto_config struct su_config config = {0};
        struct su_error err = {0};

        assert_ok(load(*state,
                       "[Restart]\nWindow=02:00-05:00\nWindow=Sat,Sun 22:30-06:00\nDeadline=3d\n"
                       "AfterDeadline=restart\n",
                       &config, &err),
                  err);
        assert_int_equal(config.restart.n_windows, 2);
        assert_int_equal(config.restart.windows[1].begin, 22 * 60 + 30);
        assert_int_equal(config.restart.windows[1].minutes, 450);
        assert_int_equal(config.restart.deadline, 3 * 86400);
        assert_true(config.restart.restart_overdue);
}

/* The tree is not the running system: a link in it stays in it. */
static void test_a_link_stays_in_the_tree(void **state)
{
        struct scratch *scratch = *state;
        su_auto_config struct su_config config = {0};
        struct su_error err = {0};

        write_text(scratch->fd, "real/suture.conf", "[Source]\nRepository=file:///x\n");
        write_text(scratch->fd, "etc/other", "");
        assert_int_equal(symlinkat("/../../real", scratch->fd, "etc/suture"), 0);
        assert_ok(load(scratch, NULL, &config, &err), err);
        assert_string_equal(config.repository, "file:///x");
}

static void test_too_large(void **state)
{
        su_auto_free char *text = malloc(70000);
        struct su_error err = {0};

        assert_non_null(text);
        memset(text, '#', 69999);
        text[69999] = '\0';
        assert_fails(load(*state, text, &(struct su_config){0}, &err), err, TOO_LARGE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_defaults),
                scratch_test(test_values),
                scratch_test(test_refusals_name_the_line),
                scratch_test(test_restart_policy),
                scratch_test(test_a_link_stays_in_the_tree),
                scratch_test(test_too_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
