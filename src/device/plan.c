#include "device/plan.h"

#include <fnmatch.h>
#include <string.h>

#include "base/text.h"

/* Restarting one of these ends sessions or takes the system's nerves away. */
static const char *const never_restarted[] = {
        "dbus.service",
        "dbus-broker.service",
        "systemd-logind.service",
        "display-manager.service",
        "gdm*.service",
        "lightdm.service",
        "sddm.service",
        "greetd.service",
        "user@*.service",
        "getty@*.service",
        "serial-getty@*.service",
        "console-getty.service",
        "container-getty@*.service",
        "libvirtd.service",
        "docker.service",
        "containerd.service",
        "crio.service",
        "systemd-nspawn@*.service",
};

const char *su_action_kind_name(enum su_action_kind kind)
{
        static const char *const names[] = {
                [SU_ACTION_RESTART_UNIT] = "restart",
                [SU_ACTION_REEXECUTE] = "reexecute",
                [SU_ACTION_BY_PERSON] = "wait",
                [SU_ACTION_NOT_REACHED] = "not-reached",
        };

        return names[kind];
}

static bool may_be_restarted(const char *unit)
{
        if (!su_ends_with(unit, ".service"))
                return false;
        for (size_t i = 0; i < SU_ELEMENTS(never_restarted); i++)
                if (fnmatch(never_restarted[i], unit, 0) == 0)
                        return false;
        return true;
}

static int advise(const struct su_exposed_process *process, const struct su_owner *owner,
                  struct su_action *action, struct su_error *err)
{
        if (process->elsewhere) {
                action->kind = SU_ACTION_NOT_REACHED;
                return su_format(&action->advice, err,
                                 "%s runs in a container or another tree, which has files of its "
                                 "own: update it there",
                                 process->command);
        }
        if (process->pid == 1 && owner->unit && strcmp(owner->unit, "init.scope") == 0) {
                action->kind = SU_ACTION_REEXECUTE;
                return su_strdup("the service manager executes itself anew", &action->advice, err);
        }
        action->kind = SU_ACTION_BY_PERSON;
        if (owner->session)
                return su_format(&action->advice, err,
                                 "%s belongs to login session %s: restart the program or log out",
                                 process->command, owner->session);
        if (owner->user_unit)
                return su_format(&action->advice, err,
                                 "%s belongs to a user's service %s: restart it or log out",
                                 process->command, owner->user_unit);
        if (owner->unit && su_ends_with(owner->unit, ".service"))
                return su_format(&action->advice, err,
                                 "%s is never restarted by itself: reboot at a good time",
                                 owner->unit);
        return su_format(&action->advice, err,
                         "%s (process %d) belongs to no service: restart it by hand",
                         process->command, (int)process->pid);
}

static struct su_action *find_restart(struct su_plan *plan, const char *unit)
{
        for (size_t i = 0; i < plan->n_actions; i++)
                if (plan->actions[i].kind == SU_ACTION_RESTART_UNIT &&
                    strcmp(plan->actions[i].unit, unit) == 0)
                        return &plan->actions[i];
        return NULL;
}

static int append_action(struct su_plan *plan, struct su_action **ret, struct su_error *err)
{
        struct su_action *larger =
                reallocarray(plan->actions, plan->n_actions + 1, sizeof *plan->actions);

        if (!larger)
                return su_fail_oom(err);
        plan->actions = larger;
        *ret = &plan->actions[plan->n_actions++];
        **ret = (struct su_action){0};
        return 0;
}

static int append_pid(struct su_action *action, pid_t pid, struct su_error *err)
{
        pid_t *larger = reallocarray(action->pids, action->n_pids + 1, sizeof *action->pids);

        if (!larger)
                return su_fail_oom(err);
        action->pids = larger;
        action->pids[action->n_pids++] = pid;
        return 0;
}

static int plan_process(struct su_plan *plan, const struct su_exposed_process *process,
                        const struct su_owner *owner, struct su_error *err)
{
        bool restarts = !process->elsewhere && process->pid != 1 && !owner->session &&
                        !owner->user_unit && owner->unit && may_be_restarted(owner->unit);
        struct su_action *action = restarts ? find_restart(plan, owner->unit) : NULL;
        int r = 0;

        if (!action) {
                r = append_action(plan, &action, err);
                if (r >= 0 && owner->unit)
                        r = su_strdup(owner->unit, &action->unit, err);
                if (r >= 0 && restarts)
                        r = su_format(&action->advice, err, "restart %s", owner->unit);
                else if (r >= 0)
                        r = advise(process, owner, action, err);
        }
        if (r >= 0)
                r = append_pid(action, process->pid, err);
        return r;
}

static int compare_actions(const void *a, const void *b)
{
        const struct su_action *left = a;
        const struct su_action *right = b;

        if (left->kind != right->kind)
                return (int)left->kind - (int)right->kind;
        if (left->kind == SU_ACTION_RESTART_UNIT)
                return strcmp(left->unit, right->unit);
        return (left->pids[0] > right->pids[0]) - (left->pids[0] < right->pids[0]);
}

int su_plan_make(const struct su_exposure *exposure, const struct su_units *units,
                 struct su_plan *ret, struct su_error *err)
{
        su_auto_plan struct su_plan plan = {0};

        for (size_t i = 0; i < exposure->n_processes; i++) {
                const struct su_exposed_process *process = &exposure->processes[i];
                su_auto_owner struct su_owner owner = {0};
                int r;

                r = units->find_owner(units->userdata, process->pid, &owner, err);
                if (r >= 0)
                        r = plan_process(&plan, process, &owner, err);
                if (r < 0)
                        return r;
        }
        if (plan.n_actions > 0)
                qsort(plan.actions, plan.n_actions, sizeof *plan.actions, compare_actions);
        *ret = plan;
        plan = (struct su_plan){0};
        return 0;
}

void su_plan_done(struct su_plan *plan)
{
        for (size_t i = 0; i < plan->n_actions; i++) {
                free(plan->actions[i].unit);
                free(plan->actions[i].advice);
                free(plan->actions[i].pids);
        }
        free(plan->actions);
        *plan = (struct su_plan){0};
}

size_t su_plan_count(const struct su_plan *plan, enum su_action_kind kind)
{
        size_t count = 0;

        for (size_t i = 0; i < plan->n_actions; i++)
                count += plan->actions[i].kind == kind;
        return count;
}

int su_plan_execute(const struct su_plan *plan, const struct su_units *units, struct su_error *err)
{
        size_t n_units = su_plan_count(plan, SU_ACTION_RESTART_UNIT);
        su_auto_free const char **names = calloc(n_units + 1, sizeof *names);
        int r = 0;

        if (!names)
                return su_fail_oom(err);
        for (size_t i = 0; i < n_units; i++)
                names[i] = plan->actions[i].unit;
        if (n_units > 0)
                r = units->restart(units->userdata, names, n_units, err);
        if (r >= 0 && su_plan_count(plan, SU_ACTION_REEXECUTE) > 0)
                r = units->reexecute(units->userdata, err);
        return r;
}
