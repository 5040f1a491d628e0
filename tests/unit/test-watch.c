#include "support.h"

#include <string.h>

#include "base/file.h"
#include "restart/watch.h"

/* A service manager in which one unit is in a condition, and one check fails so many times. */
struct fake {
        const char *unit;
        struct su_unit_condition condition;
        const char *failing_check;
        unsigned failures;
        unsigned runs;
        char revived[64];
};

static int condition(void *userdata, const char *unit, struct su_unit_condition *ret,
                     struct su_error *err)
{
        const struct fake *fake = userdata;

        (void)err;
        *ret = (struct su_unit_condition){.active_us = 1};
        if (strcmp(unit, fake->unit) == 0)
                *ret = fake->condition;
        return 0;
}

static int check(void *userdata, const char *command, struct su_error *err)
{
        struct fake *fake = userdata;

        fake->runs++;
        if (!fake->failing_check || strcmp(command, fake->failing_check) != 0 ||
            fake->failures == 0)
                return 0;
        fake->failures--;
        return su_fail(err, SU_ERROR_SYSTEM, "no answer");
}

static int run(void *userdata, const struct su_unit_job *jobs, size_t n_jobs, struct su_error *err)
{
        struct fake *fake = userdata;

        (void)err;
        for (size_t i = 0; i < n_jobs; i++) {
                size_t size = strlen(fake->revived);

                (void)snprintf(fake->revived + size, sizeof fake->revived - size, "%s;",
                               jobs[i].unit);
        }
        return 0;
}

static struct su_units units_of(struct fake *fake)
{
        return (struct su_units){
                .condition = condition, .check = check, .run = run, .userdata = fake};
}

static struct su_action actions[] = {
        {.kind = SU_ACTION_RELOAD, .unit = (char *)"a.service"},
        {.kind = SU_ACTION_RESTART, .unit = (char *)"b.service"},
        {.kind = SU_ACTION_BY_PERSON, .unit = (char *)"c.service"},
};
static const struct su_plan plan = {actions, 3};

static void make_health(struct su_health *health)
{
        char text[] = "[*]\nCommand=/bin/general\n[b.service]\nCommand=/bin/b\n"
                      "[c.service]\nCommand=/bin/c\n";

        assert_int_equal(su_health_parse("health", text, health, NULL), 0);
}

static void test_what_is_watched(void **state)
{
        struct fake fake = {"b.service", {.restarts = 5, .active_us = 5}, NULL, 0, 0, ""};
        const struct su_units units = units_of(&fake);
        su_auto_watched struct su_watched watched = {0};
        struct su_error err = {0};

        (void)state;
        assert_ok(su_watch_units(&plan, &units, &watched, &err), err);
        assert_int_equal(watched.n_units, 2);
        assert_string_equal(watched.units[0].name, "a.service");
        /* It was failing all the time. */
        assert_true(su_names_have(&watched.excused, "b.service"));
        assert_int_equal(watched.excused.n_names, 1);
}

static void test_who_is_excused(void **state)
{
        static const struct {
                struct su_unit_condition condition;
                bool excused;
        } conditions[] = {
                {{.active_us = 5}, false},
                {{.failed = true}, true},
                {{.restarting = true}, true},
                {{.restarts = 1, .active_us = 59000000}, true},
                {{.restarts = 9, .active_us = 61000000}, false}, /* that is long ago */
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(conditions); i++) {
                struct fake fake = {"b.service", conditions[i].condition, NULL, 0, 0, ""};
                const struct su_units units = units_of(&fake);
                su_auto_watched struct su_watched watched = {0};

                assert_int_equal(su_watch_units(&plan, &units, &watched, NULL), 0);
                assert_int_equal(su_names_have(&watched.excused, "b.service"),
                                 conditions[i].excused);
        }
}

/* What each look says of a unit that was well before. */
static void test_looks(void **state)
{
        static const struct {
                struct su_unit_condition condition;
                const char *while_it_lasts;
                const char *at_the_end;
        } conditions[] = {
                {{.active_us = 5}, NULL, NULL},
                {{.failed = true}, "has failed", "has failed"},
                {{.restarts = 1, .active_us = 5}, NULL, NULL},
                {{.restarts = 2, .active_us = 5}, "2 times", "2 times"},
                {{.restarting = true}, NULL, "about to be started again"},
        };
        const struct su_health none = {0};

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(conditions); i++) {
                struct fake fake = {"b.service", {.active_us = 5}, NULL, 0, 0, ""};
                const struct su_units units = units_of(&fake);
                su_auto_watched struct su_watched watched = {0};
                su_auto_free char *during = NULL;
                su_auto_free char *last = NULL;

                assert_int_equal(su_watch_units(&plan, &units, &watched, NULL), 0);
                fake.condition = conditions[i].condition;
                assert_int_equal(su_watch_look(&watched, &units, &during, NULL), 0);
                assert_int_equal(su_watch_judge(&watched, &none, &units, &last, NULL), 0);
                assert_int_equal(during != NULL, conditions[i].while_it_lasts != NULL);
                assert_int_equal(last != NULL, conditions[i].at_the_end != NULL);
                if (during)
                        assert_contains(during, conditions[i].while_it_lasts);
                if (last)
                        assert_contains(last, "b.service");
        }
}

/* systemd goes on to count when a unit is reloaded: what it counted before was long ago. */
static void test_old_restarts_of_a_reloaded_unit_do_not_count(void **state)
{
        static const struct {
                unsigned restarts;
                bool is_reason;
        } looks[] = {{9, false}, {10, false}, {11, true}, {1, false}, {2, true}};

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(looks); i++) {
                struct fake fake = {"a.service", {.restarts = 9, .active_us = 61000000}, NULL, 0, 0,
                                    ""};
                const struct su_units units = units_of(&fake);
                su_auto_watched struct su_watched watched = {0};
                su_auto_free char *reason = NULL;

                assert_int_equal(su_watch_units(&plan, &units, &watched, NULL), 0);
                assert_int_equal(watched.excused.n_names, 0);
                fake.condition.restarts = looks[i].restarts;
                assert_int_equal(su_watch_look(&watched, &units, &reason, NULL), 0);
                assert_int_equal(reason != NULL, looks[i].is_reason);
        }
}

static void test_an_excused_unit_says_nothing(void **state)
{
        struct fake fake = {"b.service", {.failed = true}, NULL, 0, 0, ""};
        const struct su_units units = units_of(&fake);
        su_auto_watched struct su_watched watched = {0};
        su_auto_free char *reason = NULL;

        (void)state;
        assert_int_equal(su_watch_units(&plan, &units, &watched, NULL), 0);
        assert_int_equal(su_watch_look(&watched, &units, &reason, NULL), 0);
        assert_null(reason);
}

static void test_what_was_broken_is_started_again(void **state)
{
        struct fake fake = {"b.service", {.active_us = 5}, NULL, 0, 0, ""};
        const struct su_units units = units_of(&fake);
        su_auto_watched struct su_watched watched = {0};

        (void)state;
        assert_int_equal(su_watch_units(&plan, &units, &watched, NULL), 0);
        assert_int_equal(su_watch_revive(&watched, &units, NULL), 0);
        assert_string_equal(fake.revived, "");
        fake.condition = (struct su_unit_condition){.failed = true};
        assert_int_equal(su_watch_revive(&watched, &units, NULL), 0);
        assert_string_equal(fake.revived, "b.service;");
        assert_int_equal(su_names_add(&watched.excused, "b.service", NULL), 0);
        fake.revived[0] = '\0';
        assert_int_equal(su_watch_revive(&watched, &units, NULL), 0);
        assert_string_equal(fake.revived, "");
}

static void test_the_unit_of_a_reason(void **state)
{
        su_auto_watched struct su_watched watched = {0};

        (void)state;
        assert_int_equal(su_watched_add(&watched, "a.service", 0, NULL), 0);
        assert_int_equal(su_watched_add(&watched, "data.service", 0, NULL), 0);
        assert_string_equal(su_watch_unit_of(&watched, "data.service has failed"), "data.service");
        assert_string_equal(su_watch_unit_of(&watched, "the health check of a.service fails: x"),
                            "a.service");
        assert_string_equal(su_watch_unit_of(&watched, "it was data.service and a.service"),
                            "a.service");
        assert_null(su_watch_unit_of(&watched, "the health check of the system fails: a.services"));
        assert_null(su_watch_unit_of(&watched, ""));
}

static void test_health_checks(void **state)
{
        static const struct {
                const char *check;
                unsigned failures; /* after the change */
                bool before;       /* and it failed already then */
                const char *reason;
        } failures[] = {
                {NULL, 0, false, NULL},
                {"/bin/b", 1, false, NULL}, /* it came too early */
                {"/bin/b", 3, false, "of b.service fails: no answer"},
                {"/bin/b", 9, true, NULL},
                {"/bin/general", 3, false, "of the system fails"},
                {"/bin/c", 9, false, NULL}, /* not restarted */
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(failures); i++) {
                struct fake fake = {"x", {0}, failures[i].check, failures[i].before ? 99 : 0,
                                    0,   ""};
                const struct su_units units = units_of(&fake);
                su_auto_watched struct su_watched watched = {0};
                su_auto_health struct su_health health = {0};
                su_auto_free char *reason = NULL;

                make_health(&health);
                assert_int_equal(su_watch_excuse_checks(&plan, &health, &units, &watched, NULL), 0);
                assert_int_equal(fake.runs, 2); /* the one of c.service is not asked */
                assert_int_equal(su_watch_units(&plan, &units, &watched, NULL), 0);
                fake.failures = failures[i].failures;
                assert_int_equal(su_watch_judge(&watched, &health, &units, &reason, NULL), 0);
                assert_int_equal(reason != NULL, failures[i].reason != NULL);
                if (reason)
                        assert_contains(reason, failures[i].reason);
        }
}

static void test_where_checks_come_from(void **state)
{
        struct scratch *scratch = *state;
        struct su_component component = {.name = (char *)"x"};
        struct su_manifest manifest = {.components = &component, .n_components = 1};
        su_auto_health struct su_health health = {0};
        su_auto_close int dir_fd = -EBADF;
        const char text[] = "[b.service]\nCommand=/bin/admin\n";
        struct su_error err = {0};

        make_health(&component.health);
        assert_ok(su_dir_make(scratch->fd, "etc/suture/health.d", 0755, &dir_fd, &err), err);
        assert_ok(su_file_write(dir_fd, "x.conf", text, strlen(text), 0644, &err), err);
        assert_ok(su_watch_load_health(scratch->fd, &manifest, &health, &err), err);
        assert_int_equal(health.n_checks, 4);
        assert_string_equal(health.checks[3].command, "/bin/admin");
        su_health_done(&health);
        component.fit = SU_FIT_MISSING; /* not on /usr: its checks do not hold */
        assert_ok(su_watch_load_health(scratch->fd, &manifest, &health, &err), err);
        assert_int_equal(health.n_checks, 1);
        assert_ok(su_file_write(dir_fd, "y.conf", "[b.service]\nCommand=b\n", 22, 0644, &err), err);
        assert_fails_with(su_watch_load_health(scratch->fd, NULL, &health, &err), err, CONFIG,
                          "/etc/suture/health.d/y.conf:2: Command= does not begin");
        su_health_done(&component.health);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_watched),
                cmocka_unit_test(test_who_is_excused),
                cmocka_unit_test(test_looks),
                cmocka_unit_test(test_old_restarts_of_a_reloaded_unit_do_not_count),
                cmocka_unit_test(test_an_excused_unit_says_nothing),
                cmocka_unit_test(test_what_was_broken_is_started_again),
                cmocka_unit_test(test_the_unit_of_a_reason),
                cmocka_unit_test(test_health_checks),
                scratch_test(test_where_checks_come_from),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
