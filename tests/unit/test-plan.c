#include "support.h"

#include <string.h>

#include "restart/plan.h"

/* A service manager that writes down what it is asked to do. */
struct fake {
        char log[512];
        bool fails;
        bool soft_reboots;
};

static void note(struct fake *fake, const char *verb, const char *unit)
{
        size_t size = strlen(fake->log);

        (void)snprintf(fake->log + size, sizeof fake->log - size, "%s %s;", verb, unit);
}

static int run(void *userdata, const struct su_unit_job *jobs, size_t n_jobs, struct su_error *err)
{
        struct fake *fake = userdata;

        for (size_t i = 0; i < n_jobs; i++)
                note(fake, jobs[i].reload ? "reload" : "restart", jobs[i].unit);
        if (fake->fails)
                return su_fail(err, SU_ERROR_RESTART, "did not come back: a.service");
        return 0;
}

static int reexecute(void *userdata, struct su_error *err)
{
        (void)err;
        note(userdata, "reexecute", "1");
        return 0;
}

static bool can_soft_reboot(void *userdata)
{
        return ((const struct fake *)userdata)->soft_reboots;
}

static struct su_units units_of(struct fake *fake)
{
        return (struct su_units){
                .run = run,
                .reexecute = reexecute,
                .can_soft_reboot = can_soft_reboot,
                .userdata = fake,
        };
}

/* Built-in rules are the loader's; these say the same of two units. */
static void make_rules(struct su_rules *rules)
{
        char text[] = "[dbus.service]\nAction=reboot\n[docker.service]\nAction=wait\n"
                      "[web.service]\nAction=reload\nData=/usr/share/web/index\n";

        assert_int_equal(su_rules_parse("rules", text, rules, NULL), 0);
}

static int make_plan(struct fake *fake, struct su_exposed_process *processes, size_t n,
                     const struct su_stale *stale, struct su_plan *ret, struct su_error *err)
{
        const struct su_exposure exposure = {.processes = processes, .n_processes = n};
        const struct su_stale none = {0};
        const struct su_units units = units_of(fake);
        su_auto_rules struct su_rules rules = {0};

        make_rules(&rules);
        for (size_t i = 0; i < n; i++)
                if (processes[i].leader == 0)
                        processes[i].leader = processes[i].pid;
        return su_plan_make(&exposure, stale ? stale : &none, &rules, &units, ret, err);
}

#define OWNER(unit, user_unit, session)                                                            \
        {                                                                                          \
                (char *)(unit), (char *)(user_unit), (char *)(session)                             \
        }
#define UNIT(unit) OWNER(unit, NULL, NULL)

static void test_kinds(void **state)
{
        static const struct {
                struct su_exposed_process process;
                enum su_action_kind kind;
                const char *advice;
        } cases[] = {
                {{10, .owner = UNIT("cups.service")}, SU_ACTION_RESTART, "restart cups.service"},
                {{10, .owner = UNIT("web@1.service")}, SU_ACTION_RESTART, "restart"},
                /* A reload does not take old code out of memory. */
                {{10, .owner = UNIT("web.service")}, SU_ACTION_RESTART, "restart web.service"},
                {{10, .owner = UNIT("dbus.service")}, SU_ACTION_REBOOT, "reboot"},
                {{10, .owner = UNIT("docker.service")}, SU_ACTION_BY_PERSON, "by hand"},
                {{10, .owner = OWNER("session-2.scope", NULL, "2")},
                 SU_ACTION_RELAUNCH,
                 "session 2"},
                {{10, .owner = OWNER("cups.service", NULL, "2")}, SU_ACTION_RELAUNCH, "session 2"},
                {{10, .owner = OWNER("user@1000.service", "app.service", NULL)},
                 SU_ACTION_RELAUNCH,
                 "app.service"},
                {{10, .owner = OWNER("user@1000.service", "app.scope", NULL)},
                 SU_ACTION_RELAUNCH,
                 "open it again"},
                {{10, .owner = UNIT("run-1.scope")}, SU_ACTION_BY_PERSON, "process 10"},
                {{10, .owner = UNIT("dev.socket")}, SU_ACTION_BY_PERSON, "by hand"},
                {{10, .owner = UNIT(NULL)}, SU_ACTION_BY_PERSON, "no service"},
                {{1, .owner = UNIT("init.scope")}, SU_ACTION_REEXECUTE, "itself anew"},
                {{1, .owner = UNIT(NULL)}, SU_ACTION_BY_PERSON, "by hand"},
                {{10, .owner = UNIT("cups.service"), .place = SU_PLACE_CONTAINER},
                 SU_ACTION_NOT_REACHED,
                 "update it"},
                {{10, .owner = UNIT("cups.service"), .place = SU_PLACE_CHROOT},
                 SU_ACTION_NOT_REACHED,
                 "update it"},
                {{10, .owner = UNIT("cups.service"), .place = SU_PLACE_OLD_VIEW},
                 SU_ACTION_RESTART,
                 "restart cups.service"},
                {{10, .owner = UNIT("cups.service"), .place = SU_PLACE_SANDBOX},
                 SU_ACTION_RESTART,
                 "restart cups.service"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                struct su_exposed_process process = cases[i].process;
                su_auto_plan struct su_plan plan = {0};
                struct su_error err = {0};
                struct fake fake = {0};

                (void)strcpy(process.command, "prog");
                assert_ok(make_plan(&fake, &process, 1, NULL, &plan, &err), err);
                assert_int_equal(plan.n_actions, 1);
                assert_int_equal(plan.actions[0].kind, cases[i].kind);
                assert_int_equal(plan.actions[0].n_pids, 1);
                assert_contains(plan.actions[0].advice, cases[i].advice);
                assert_contains(plan.actions[0].reason, "prog ");
        }
}

static void test_soft_reboot_where_there_is_one(void **state)
{
        struct su_exposed_process process = {10, .owner = UNIT("dbus.service")};
        su_auto_plan struct su_plan plan = {0};
        struct fake fake = {.soft_reboots = true};
        struct su_error err = {0};

        (void)state;
        assert_ok(make_plan(&fake, &process, 1, NULL, &plan, &err), err);
        assert_int_equal(plan.actions[0].kind, SU_ACTION_SOFT_REBOOT);
        assert_string_equal(su_plan_needs(&plan), "soft-reboot");
}

/* One action for all processes of a unit; what Suture does first; then the others by process. */
static void test_grouping_and_order(void **state)
{
        struct su_exposed_process processes[] = {
                {.pid = 1, .owner = UNIT("init.scope")},
                {.pid = 20, .owner = UNIT("b.service")},
                {.pid = 21, .owner = UNIT("a.service")},
                {.pid = 22, .owner = UNIT("b.service")},
                {.pid = 23, .owner = UNIT("dbus.service")},
                {.pid = 24, .owner = UNIT("docker.service")},
                {.pid = 99, .place = SU_PLACE_CONTAINER},
        };
        su_auto_plan struct su_plan plan = {0};
        struct fake fake = {0};
        struct su_error err = {0};

        (void)state;
        assert_ok(make_plan(&fake, processes, SU_ELEMENTS(processes), NULL, &plan, &err), err);
        assert_int_equal(plan.n_actions, 6);
        assert_string_equal(plan.actions[0].unit, "a.service");
        assert_string_equal(plan.actions[1].unit, "b.service");
        assert_int_equal(plan.actions[1].n_pids, 2);
        assert_int_equal(plan.actions[2].kind, SU_ACTION_REEXECUTE);
        assert_int_equal(plan.actions[3].pids[0], 24);
        assert_int_equal(plan.actions[4].pids[0], 23);
        assert_int_equal(plan.actions[5].kind, SU_ACTION_NOT_REACHED);
        assert_int_equal(su_plan_count(&plan, SU_ACTION_RESTART), 2);
        assert_int_equal(su_plan_count_own(&plan), 3);
        assert_string_equal(su_plan_needs(&plan), "reboot");
        assert_string_equal(su_action_kind_name(SU_ACTION_BY_PERSON), "wait");
}

/* A browser and the processes that it started are one thing to relaunch; its neighbour is another.
 */
static void test_programs_of_a_session(void **state)
{
        struct su_exposed_process processes[] = {
                {.pid = 50, .command = "browser", .owner = OWNER("session-1.scope", NULL, "1")},
                {.pid = 51,
                 .leader = 50,
                 .command = "web",
                 .place = SU_PLACE_SANDBOX,
                 .owner = OWNER("session-1.scope", NULL, "1")},
                {.pid = 60, .command = "mail", .owner = OWNER("session-1.scope", NULL, "1")},
        };
        su_auto_plan struct su_plan plan = {0};
        struct fake fake = {0};
        struct su_error err = {0};

        (void)state;
        assert_ok(make_plan(&fake, processes, SU_ELEMENTS(processes), NULL, &plan, &err), err);
        assert_int_equal(plan.n_actions, 2);
        assert_int_equal(plan.actions[0].n_pids, 2);
        assert_contains(plan.actions[0].advice, "browser");
        assert_contains(plan.actions[1].advice, "mail");
        assert_string_equal(su_plan_needs(&plan), "relaunch");
        assert_int_equal(su_plan_count_own(&plan), 0);
}

static void test_units_with_old_data(void **state)
{
        struct su_stale_unit units[] = {
                {(char *)"web.service", (char *)"web", (char *)"/usr/share/web/index"},
                {(char *)"a.service", (char *)"web", (char *)"/usr/share/web/index"},
                {(char *)"dbus.service", (char *)"web", (char *)"/usr/share/web/index"},
        };
        const struct su_stale stale = {units, SU_ELEMENTS(units)};
        struct su_exposed_process process = {20, .owner = UNIT("a.service")};
        su_auto_plan struct su_plan plan = {0};
        struct fake fake = {0};
        const struct su_units manager = units_of(&fake);
        struct su_error err = {0};

        (void)state;
        assert_ok(make_plan(&fake, &process, 1, &stale, &plan, &err), err);
        assert_int_equal(plan.n_actions, 3);
        assert_int_equal(plan.actions[0].kind, SU_ACTION_RELOAD);
        assert_contains(plan.actions[0].reason, "/usr/share/web/index");
        assert_int_equal(plan.actions[1].kind, SU_ACTION_RESTART);
        assert_int_equal(plan.actions[2].kind, SU_ACTION_REBOOT);
        assert_ok(su_plan_execute(&plan, &manager, &err), err);
        assert_string_equal(fake.log, "reload web.service;restart a.service;");
}

static void test_execute(void **state)
{
        struct su_exposed_process processes[] = {
                {.pid = 1, .owner = UNIT("init.scope")},
                {.pid = 20, .owner = UNIT("b.service")},
                {.pid = 21, .owner = UNIT("a.service")},
                {.pid = 23, .owner = UNIT("dbus.service")},
        };
        su_auto_plan struct su_plan plan = {0};
        struct fake fake = {0};
        const struct su_units units = units_of(&fake);
        struct su_error err = {0};

        (void)state;
        assert_ok(make_plan(&fake, processes, SU_ELEMENTS(processes), NULL, &plan, &err), err);
        assert_ok(su_plan_execute(&plan, &units, &err), err);
        assert_string_equal(fake.log, "restart a.service;restart b.service;reexecute 1;");
        fake.log[0] = '\0';
        fake.fails = true;
        assert_fails_with(su_plan_execute(&plan, &units, &err), err, RESTART, "a.service");
        assert_string_equal(fake.log, "restart a.service;restart b.service;");
}

static void test_nothing_exposed(void **state)
{
        su_auto_plan struct su_plan plan = {0};
        struct fake fake = {0};
        const struct su_units units = units_of(&fake);
        struct su_error err = {0};

        (void)state;
        assert_ok(make_plan(&fake, NULL, 0, NULL, &plan, &err), err);
        assert_int_equal(plan.n_actions, 0);
        assert_string_equal(su_plan_needs(&plan), "nothing");
        assert_ok(su_plan_execute(&plan, &units, &err), err);
        assert_string_equal(fake.log, "");
}

static void test_a_tree_that_does_not_run(void **state)
{
        static const struct su_unit_job job = {"a.service", false};
        su_auto_owner struct su_owner owner = {.unit = (char *)"x"};
        struct su_error err = {0};
        uint64_t since = 1;

        (void)state;
        assert_ok(su_units_none.find_owner(NULL, 1, &owner, &err), err);
        assert_null(owner.unit);
        assert_ok(su_units_none.run(NULL, NULL, 0, &err), err);
        assert_fails(su_units_none.run(NULL, &job, 1, &err), err, RESTART);
        assert_fails(su_units_none.reexecute(NULL, &err), err, RESTART);
        assert_ok(su_units_none.active_since(NULL, "a.service", &since, &err), err);
        assert_int_equal(since, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_soft_reboot_where_there_is_one),
                cmocka_unit_test(test_grouping_and_order),
                cmocka_unit_test(test_programs_of_a_session),
                cmocka_unit_test(test_units_with_old_data),
                cmocka_unit_test(test_execute),
                cmocka_unit_test(test_nothing_exposed),
                cmocka_unit_test(test_a_tree_that_does_not_run),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
