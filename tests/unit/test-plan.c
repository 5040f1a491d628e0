#include "support.h"

#include <string.h>

#include "device/plan.h"

/* A service manager that is a table, and that writes down what it is asked to do. */
struct fake_owner {
        pid_t pid;
        const char *unit;
        const char *user_unit;
        const char *session;
};

struct fake {
        const struct fake_owner *owners;
        size_t n_owners;
        char log[512];
        bool restart_fails;
};

static void note(struct fake *fake, const char *text)
{
        size_t size = strlen(fake->log);

        (void)snprintf(fake->log + size, sizeof fake->log - size, "%s;", text);
}

static int find_owner(void *userdata, pid_t pid, struct su_owner *ret, struct su_error *err)
{
        const struct fake *fake = userdata;

        if (pid == 666)
                return su_fail(err, SU_ERROR_SYSTEM, "cannot ask for process 666");
        *ret = (struct su_owner){0};
        for (size_t i = 0; i < fake->n_owners; i++)
                if (fake->owners[i].pid == pid) {
                        const struct fake_owner *owner = &fake->owners[i];

                        ret->unit = owner->unit ? strdup(owner->unit) : NULL;
                        ret->user_unit = owner->user_unit ? strdup(owner->user_unit) : NULL;
                        ret->session = owner->session ? strdup(owner->session) : NULL;
                }
        return 0;
}

static int restart(void *userdata, const char *const *units, size_t n_units, struct su_error *err)
{
        struct fake *fake = userdata;

        for (size_t i = 0; i < n_units; i++)
                note(fake, units[i]);
        if (fake->restart_fails)
                return su_fail(err, SU_ERROR_RESTART, "did not come back: a.service");
        return 0;
}

static int reexecute(void *userdata, struct su_error *err)
{
        (void)err;
        note(userdata, "reexecute");
        return 0;
}

static struct su_units units_of(struct fake *fake)
{
        return (struct su_units){find_owner, restart, reexecute, fake};
}

static int make_plan(struct fake *fake, struct su_exposed_process *processes, size_t n,
                     struct su_plan *ret, struct su_error *err)
{
        const struct su_exposure exposure = {processes, n, n};
        const struct su_units units = units_of(fake);

        return su_plan_make(&exposure, &units, ret, err);
}

/* The one action for one process of one owner. */
static enum su_action_kind kind_of(const struct fake_owner *owner, bool elsewhere,
                                   const char *advice)
{
        struct su_exposed_process process = {
                .pid = owner->pid, .command = "prog", .elsewhere = elsewhere};
        su_auto_plan struct su_plan plan = {0};
        struct fake fake = {.owners = owner, .n_owners = 1};
        struct su_error err = {0};

        assert_ok(make_plan(&fake, &process, 1, &plan, &err), err);
        assert_int_equal(plan.n_actions, 1);
        assert_int_equal(plan.actions[0].n_pids, 1);
        assert_int_equal(plan.actions[0].pids[0], owner->pid);
        assert_contains(plan.actions[0].advice, advice);
        if (owner->unit)
                assert_string_equal(plan.actions[0].unit, owner->unit);
        else
                assert_null(plan.actions[0].unit);
        return plan.actions[0].kind;
}

static void test_kinds(void **state)
{
        static const struct {
                struct fake_owner owner;
                bool elsewhere;
                enum su_action_kind kind;
                const char *advice;
        } cases[] = {
                {{10, "cups.service", NULL, NULL}, false, SU_ACTION_RESTART_UNIT, "cups.service"},
                {{10, "web@1.service", NULL, NULL}, false, SU_ACTION_RESTART_UNIT, "restart"},
                {{10, "session-2.scope", NULL, "2"}, false, SU_ACTION_BY_PERSON, "session 2"},
                {{10, "cups.service", NULL, "2"}, false, SU_ACTION_BY_PERSON, "session 2"},
                {{10, "user@1000.service", "app.service", NULL},
                 false,
                 SU_ACTION_BY_PERSON,
                 "app.service"},
                {{10, "run-1.scope", NULL, NULL}, false, SU_ACTION_BY_PERSON, "process 10"},
                {{10, "dev.socket", NULL, NULL}, false, SU_ACTION_BY_PERSON, "by hand"},
                {{10, NULL, NULL, NULL}, false, SU_ACTION_BY_PERSON, "no service"},
                {{1, "init.scope", NULL, NULL}, false, SU_ACTION_REEXECUTE, "itself anew"},
                {{1, NULL, NULL, NULL}, false, SU_ACTION_BY_PERSON, "by hand"},
                {{1, "cups.service", NULL, NULL}, false, SU_ACTION_BY_PERSON, "reboot"},
                {{10, "cups.service", NULL, NULL}, true, SU_ACTION_NOT_REACHED, "container"},
                {{1, "init.scope", NULL, NULL}, true, SU_ACTION_NOT_REACHED, "container"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++)
                assert_int_equal(kind_of(&cases[i].owner, cases[i].elsewhere, cases[i].advice),
                                 cases[i].kind);
}

static void test_never_restarted(void **state)
{
        static const char *const denied[] = {
                "dbus.service",
                "dbus-broker.service",
                "systemd-logind.service",
                "display-manager.service",
                "gdm.service",
                "gdm3.service",
                "lightdm.service",
                "sddm.service",
                "greetd.service",
                "user@1000.service",
                "getty@tty1.service",
                "serial-getty@ttyS0.service",
                "console-getty.service",
                "container-getty@1.service",
                "libvirtd.service",
                "docker.service",
                "containerd.service",
                "systemd-nspawn@web.service",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(denied); i++) {
                const struct fake_owner owner = {10, denied[i], NULL, NULL};

                assert_int_equal(kind_of(&owner, false, "reboot"), SU_ACTION_BY_PERSON);
        }
}

static const struct fake_owner owners[] = {
        {1, "init.scope", NULL, NULL},    {20, "b.service", NULL, NULL},
        {21, "a.service", NULL, NULL},    {22, "b.service", NULL, NULL},
        {23, "dbus.service", NULL, NULL}, {24, "session-1.scope", NULL, "1"},
};

/* One action for all processes of a unit; restarts first, by name; then the others by process. */
static void test_grouping_and_order(void **state)
{
        struct su_exposed_process processes[] = {
                {.pid = 1},
                {.pid = 20},
                {.pid = 21},
                {.pid = 22},
                {.pid = 24},
                {.pid = 23},
                {.pid = 99, .elsewhere = true},
        };
        su_auto_plan struct su_plan plan = {0};
        struct fake fake = {.owners = owners, .n_owners = SU_ELEMENTS(owners)};
        struct su_error err = {0};

        (void)state;
        assert_ok(make_plan(&fake, processes, SU_ELEMENTS(processes), &plan, &err), err);
        assert_int_equal(plan.n_actions, 6);
        assert_string_equal(plan.actions[0].unit, "a.service");
        assert_string_equal(plan.actions[1].unit, "b.service");
        assert_int_equal(plan.actions[1].n_pids, 2);
        assert_int_equal(plan.actions[2].kind, SU_ACTION_REEXECUTE);
        assert_int_equal(plan.actions[3].pids[0], 23);
        assert_int_equal(plan.actions[4].pids[0], 24);
        assert_int_equal(plan.actions[5].kind, SU_ACTION_NOT_REACHED);
        assert_int_equal(su_plan_count(&plan, SU_ACTION_RESTART_UNIT), 2);
        assert_int_equal(su_plan_count(&plan, SU_ACTION_BY_PERSON), 2);
        assert_string_equal(su_action_kind_name(SU_ACTION_BY_PERSON), "wait");
}

static void test_execute(void **state)
{
        struct su_exposed_process processes[] = {{.pid = 1}, {.pid = 20}, {.pid = 21}, {.pid = 23}};
        su_auto_plan struct su_plan plan = {0};
        struct fake fake = {.owners = owners, .n_owners = SU_ELEMENTS(owners)};
        const struct su_units units = units_of(&fake);
        struct su_error err = {0};

        (void)state;
        assert_ok(make_plan(&fake, processes, SU_ELEMENTS(processes), &plan, &err), err);
        assert_ok(su_plan_execute(&plan, &units, &err), err);
        assert_string_equal(fake.log, "a.service;b.service;reexecute;");
        fake.log[0] = '\0';
        fake.restart_fails = true;
        assert_fails_with(su_plan_execute(&plan, &units, &err), err, RESTART, "a.service");
        assert_string_equal(fake.log, "a.service;b.service;");
}

static void test_nothing_exposed(void **state)
{
        su_auto_plan struct su_plan plan = {0};
        struct fake fake = {0};
        const struct su_units units = units_of(&fake);
        struct su_error err = {0};

        (void)state;
        assert_ok(make_plan(&fake, NULL, 0, &plan, &err), err);
        assert_int_equal(plan.n_actions, 0);
        assert_ok(su_plan_execute(&plan, &units, &err), err);
        assert_string_equal(fake.log, "");
}

static void test_no_answer_about_a_process(void **state)
{
        struct su_exposed_process processes[] = {{.pid = 20}, {.pid = 666}};
        struct su_plan plan = {.n_actions = 77};
        struct fake fake = {.owners = owners, .n_owners = SU_ELEMENTS(owners)};
        struct su_error err = {0};

        (void)state;
        assert_fails(make_plan(&fake, processes, 2, &plan, &err), err, SYSTEM);
        assert_int_equal(plan.n_actions, 77);
}

static void test_a_tree_that_does_not_run(void **state)
{
        static const char *const units[] = {"a.service"};
        su_auto_owner struct su_owner owner = {.unit = (char *)"x"};
        struct su_error err = {0};

        (void)state;
        assert_ok(su_units_none.find_owner(NULL, 1, &owner, &err), err);
        assert_null(owner.unit);
        assert_ok(su_units_none.restart(NULL, NULL, 0, &err), err);
        assert_fails(su_units_none.restart(NULL, units, 1, &err), err, RESTART);
        assert_fails(su_units_none.reexecute(NULL, &err), err, RESTART);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_never_restarted),
                cmocka_unit_test(test_grouping_and_order),
                cmocka_unit_test(test_execute),
                cmocka_unit_test(test_nothing_exposed),
                cmocka_unit_test(test_no_answer_about_a_process),
                cmocka_unit_test(test_a_tree_that_does_not_run),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
