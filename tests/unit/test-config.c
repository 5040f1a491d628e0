#include "support.h"

#include <string.h>
#include <unistd.h>

#include "device/config.h"
#include "device/settings.h"

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

static void test_moments(void **state)
{
        su_auto_config struct su_config config = {0};
        struct su_error err = {0};

        assert_ok(load(*state, "[Policy]\nEnforceFrom=2026-05-01\n", &config, &err), err);
        assert_int_equal(config.policy.enforce_from, 1777593600);
        su_config_done(&config);
        assert_ok(load(*state, "[Policy]\nEnforceFrom=2026-05-01T10:00:00Z\n", &config, &err), err);
        assert_int_equal(config.policy.enforce_from, 1777629600);
}

static const struct su_config_value *find_value(const struct su_config *config, const char *key,
                                                size_t at)
{
        for (size_t i = 0; i < su_n_settings; i++)
                if (strcmp(su_settings[i].key, key) == 0)
                        return at < config->origins[i].n_values ? &config->origins[i].values[at]
                                                                : NULL;
        return NULL;
}

static void assert_value(const struct su_config *config, const char *key, const char *text,
                         const char *file, unsigned line)
{
        const struct su_config_value *value = find_value(config, key, 0);

        assert_non_null(value);
        assert_string_equal(value->text, text);
        if (file)
                assert_string_equal(value->file, file);
        else
                assert_null(value->file);
        assert_int_equal(value->line, line);
}

/* As systemd does it: files of one name hide each other, drop-ins come by name, the last counts. */
static void test_where_values_come_from(void **state)
{
        struct scratch *scratch = *state;
        su_auto_config struct su_config config = {0};
        struct su_error err = {0};

        write_text(scratch->fd, "usr/lib/suture/suture.conf", "[Source]\nRepository=http://a\n");
        write_text(scratch->fd, "usr/lib/suture/suture.conf.d/50-x.conf", "[Watch]\nTime=1s\n");
        write_text(scratch->fd, "run/suture/suture.conf.d/50-x.conf", "[Watch]\nTime=2s\n");
        write_text(scratch->fd, "etc/suture/suture.conf.d/10-y.conf",
                   "[Watch]\nTime=3s\n[Automatic]\nLevel=check\n");
        assert_ok(su_config_load(scratch->fd, &config, &err), err);
        assert_value(&config, "Repository", "http://a", "/usr/lib/suture/suture.conf", 2);
        assert_value(&config, "Time", "2s", "/run/suture/suture.conf.d/50-x.conf", 2);
        assert_int_equal(config.watch_time, 2);
        assert_int_equal(config.automatic, SU_AUTOMATIC_CHECK);
        assert_value(&config, "Act", "at-once", NULL, 0);
        assert_null(find_value(&config, "Pin", 0));
        su_config_done(&config);

        write_text(scratch->fd, PATH, "\n[Source]\nRepository=http://b\n");
        write_text(scratch->fd, "etc/suture/managed.conf",
                   "[Policy]\nAllowRemoval=no\n[Watch]\nTime=4s\n");
        assert_ok(su_config_load(scratch->fd, &config, &err), err);
        assert_value(&config, "Repository", "http://b", "/etc/suture/suture.conf", 3);
        assert_int_equal(config.watch_time, 4);
        assert_true(config.policy.forbids_removal && !config.policy.forbids_install);
        assert_true(find_value(&config, "AllowRemoval", 0)->managed);
        assert_false(find_value(&config, "Repository", 0)->managed);
}

static void test_rate_and_proxy(void **state)
{
        static const struct {
                const char *text;
                uint64_t rate;
        } cases[] = {{"0", 0},         {"16384", 16384}, {"16K", 16384},
                     {"500K", 512000}, {"2M", 2097152},  {"1G", 1073741824}};
        struct su_error err = {0};
        char text[100];

        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_config struct su_config config = {0};

                (void)snprintf(text, sizeof text,
                               "[Network]\nMaxRate=%s\nProxy=http://a\nProxy=socks5h://b:1080\n",
                               cases[i].text);
                assert_ok(load(*state, text, &config, &err), err);
                assert_int_equal(config.max_rate, cases[i].rate);
                assert_string_equal(config.proxy, "socks5h://b:1080");
        }
}

static void test_lists_and_empty_values(void **state)
{
        su_auto_config struct su_config config = {0};
        struct su_error err = {0};

        assert_ok(load(*state,
                       "[Policy]\nSkip=a\nSkip=b\nPin=c\nDefer=7d\nPin=\n[Watch]\nTime=3s\n"
                       "Time=\n[Source]\nLogPolicy=\n[Restart]\nWindow=02:00-03:00\nWindow=\n"
                       "Window=04:00-05:00\n",
                       &config, &err),
                  err);
        assert_int_equal(config.policy.skips.n_levels, 2);
        assert_string_equal(config.policy.skips.levels[1].name, "b");
        assert_string_equal(config.policy.pin.name, "");
        assert_int_equal(config.policy.defer, 7 * 86400);
        assert_int_equal(config.watch_time, 10);
        assert_value(&config, "Time", "10s", NULL, 0);
        assert_false(su_config_says(&config, "Source", "LogPolicy"));
        assert_true(su_config_says(&config, "Policy", "Skip"));
        assert_int_equal(config.restart.windows.n_windows, 1);
        assert_non_null(find_value(&config, "Skip", 1));
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
                {"[Policy]\nEnforceFrom=24.12.2026\n", "EnforceFrom= is not like"},
                {"[Policy]\nEnforceFrom=2026-13-24\n", "EnforceFrom= is not like"},
                {"[Policy]\nEnforceFrom=2026-12-24 18:00\n", "EnforceFrom= is not like"},
                {"[Restart]\nDeadline=soon\n", "Deadline= is not like"},
                {"[Restart]\nAfterDeadline=shout\n", "announce or restart"},
                {"[Policy]\nSkip=B\n", "suture.conf:2: Skip= is not a level"},
                {"[Policy]\nAllowInstall=perhaps\n", "AllowInstall= is yes or no: 'perhaps'"},
                {"[Automatic]\nLevel=x\n", "Level= is off, check, download or install: 'x'"},
                {"[Network]\nProxy=proxy:3128\n", "Proxy= is not like"},
                {"[Network]\nProxy=http://\n", "Proxy= is not like"},
                {"[Network]\nMaxRate=16\n", "at least 16K, or 0: '16'"},
                {"[Network]\nMaxRate=-1\n", "'-1'"},
                {"[Network]\nMaxRate=2X\n", "'2X'"},
                {"[Network]\nMaxRate=2KB\n", "'2KB'"},
                {"[Network]\nMaxRate=9999999999999G\n", "MaxRate= is not like"},
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
        assert_int_equal(config.restart.windows.n_windows, 2);
        assert_int_equal(config.restart.windows.windows[1].begin, 22 * 60 + 30);
        assert_int_equal(config.restart.windows.windows[1].minutes, 450);
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
                scratch_test(test_moments),
                scratch_test(test_where_values_come_from),
                scratch_test(test_rate_and_proxy),
                scratch_test(test_lists_and_empty_values),
                scratch_test(test_refusals_name_the_line),
                scratch_test(test_restart_policy),
                scratch_test(test_a_link_stays_in_the_tree),
                scratch_test(test_too_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
