#include "restart/plan.h"

#include <string.h>

#include "base/text.h"
#include "base/translate.h"

const char *su_action_kind_name(enum su_action_kind kind)
{
        static const char *const names[] = {
                [SU_ACTION_RELOAD] = "reload",       [SU_ACTION_RESTART] = "restart",
                [SU_ACTION_REEXECUTE] = "reexecute", [SU_ACTION_RELAUNCH] = "relaunch",
                [SU_ACTION_BY_PERSON] = "wait",      [SU_ACTION_SOFT_REBOOT] = "soft-reboot",
                [SU_ACTION_REBOOT] = "reboot",       [SU_ACTION_NOT_REACHED] = "not-reached",
        };

        return names[kind];
}

/* What a plan is made with. */
struct planner {
        const struct su_rules *rules;
        const struct su_units *units;
        struct su_plan plan;
};

static enum su_action_kind reboot_kind(const struct planner *planner)
{
        return planner->units->can_soft_reboot(planner->units->userdata) ? SU_ACTION_SOFT_REBOOT
                                                                         : SU_ACTION_REBOOT;
}

/* What a rule says of a service that maps old code: a reload does not end that. */
static enum su_action_kind service_kind(const struct planner *planner, const char *unit)
{
        switch (su_rules_action(planner->rules, unit)) {
        case SU_RULE_WAIT:
                return SU_ACTION_BY_PERSON;
        case SU_RULE_REBOOT:
                return reboot_kind(planner);
        default:
                return SU_ACTION_RESTART;
        }
}

static enum su_action_kind process_kind(const struct planner *planner,
                                        const struct su_exposed_process *process)
{
        const struct su_owner *owner = &process->owner;

        if (!su_exposed_is_reached(process))
                return SU_ACTION_NOT_REACHED;
        if (process->pid == 1 && owner->unit && strcmp(owner->unit, "init.scope") == 0)
                return SU_ACTION_REEXECUTE;
        if (owner->session || owner->user_unit)
                return SU_ACTION_RELAUNCH;
        if (!owner->unit || !su_ends_with(owner->unit, ".service"))
                return SU_ACTION_BY_PERSON;
        return service_kind(planner, owner->unit);
}

static const char *command_of(const struct su_exposure *exposure,
                              const struct su_exposed_process *process, pid_t pid)
{
        for (size_t i = 0; i < exposure->n_processes; i++)
                if (exposure->processes[i].pid == pid)
                        return exposure->processes[i].command;
        return process->command;
}

static int advise_relaunch(const struct su_exposed_process *process, const char *program,
                           char **ret, struct su_error *err)
{
        const struct su_owner *owner = &process->owner;

        if (owner->user_unit && su_ends_with(owner->user_unit, ".service"))
                return su_format(
                        ret, err,
                        _("%s of user %u: restart it (systemctl --user restart), or log out"),
                        owner->user_unit, (unsigned)process->uid);
        if (owner->session)
                return su_format(ret, err,
                                 _("%s of user %u in session %s: close it and open it again"),
                                 program, (unsigned)process->uid, owner->session);
        return su_format(ret, err, _("%s of user %u: close it and open it again, or log out"),
                         program, (unsigned)process->uid);
}

static int advise(enum su_action_kind kind, const struct su_exposed_process *process,
                  const char *program, char **ret, struct su_error *err)
{
        const char *unit = process->owner.unit;

        switch (kind) {
        case SU_ACTION_RELOAD:
        case SU_ACTION_RESTART:
                return su_format(ret, err, _("restart %s"), unit);
        case SU_ACTION_REEXECUTE:
                return su_strdup(_("the service manager executes itself anew"), ret, err);
        case SU_ACTION_RELAUNCH:
                return advise_relaunch(process, program, ret, err);
        case SU_ACTION_SOFT_REBOOT:
                return su_format(
                        ret, err,
                        _("%s is never restarted by itself: systemctl soft-reboot at a good time"),
                        unit);
        case SU_ACTION_REBOOT:
                return su_format(ret, err,
                                 _("%s is never restarted by itself: reboot at a good time"), unit);
        case SU_ACTION_NOT_REACHED:
                return su_format(ret, err, _("%s: update it where it comes from"), program);
        case SU_ACTION_BY_PERSON:
                break;
        }
        if (unit && su_ends_with(unit, ".service"))
                return su_format(ret, err, _("%s is not restarted by itself: restart it by hand"),
                                 unit);
        return su_format(ret, err, _("%s (process %d) belongs to no service: restart it by hand"),
                         program, (int)process->pid);
}

/* Units go by their name, programs by the process that leads them; everything else by itself. */
static struct su_action *find_action(struct su_plan *plan, enum su_action_kind kind,
                                     const char *unit, pid_t leader)
{
        for (size_t i = 0; i < plan->n_actions; i++) {
                struct su_action *action = &plan->actions[i];

                if (action->kind != kind)
                        continue;
                if (leader ? action->leader == leader
                           : unit && action->unit && strcmp(action->unit, unit) == 0)
                        return action;
        }
        return NULL;
}

static int append_action(struct su_plan *plan, enum su_action_kind kind, const char *unit,
                         struct su_action **ret, struct su_error *err)
{
        struct su_action *larger =
                reallocarray(plan->actions, plan->n_actions + 1, sizeof *plan->actions);

        if (!larger)
                return su_fail_oom(err);
        plan->actions = larger;
        *ret = &plan->actions[plan->n_actions++];
        **ret = (struct su_action){.kind = kind};
        return unit ? su_strdup(unit, &(*ret)->unit, err) : 0;
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

static bool is_grouped_by_unit(enum su_action_kind kind)
{
        return kind == SU_ACTION_RELOAD || kind == SU_ACTION_RESTART ||
               kind == SU_ACTION_SOFT_REBOOT || kind == SU_ACTION_REBOOT;
}

/* The first notice that a publisher gave about what the process runs. */
static const char *find_notice(const struct su_exposed_process *process)
{
        for (size_t i = 0; i < process->n_codes; i++)
                if (process->codes[i]->notice)
                        return process->codes[i]->notice;
        return NULL;
}

static int give_reason(const struct su_exposed_process *process, char **ret, struct su_error *err)
{
        const char *notice = find_notice(process);
        su_auto_free char *why = NULL;
        int r;

        r = su_exposed_tell(process, notice ? &why : ret, err);
        /* TRANSLATORS: why a process has to be restarted, and what its publisher says. */
        return r < 0 || !notice ? r : su_format(ret, err, _("%s; until then: %s"), why, notice);
}

static int plan_process(struct planner *planner, const struct su_exposure *exposure,
                        const struct su_exposed_process *process, struct su_error *err)
{
        enum su_action_kind kind = process_kind(planner, process);
        pid_t leader = kind == SU_ACTION_RELAUNCH ? process->leader : 0;
        const char *program = command_of(exposure, process, leader ? leader : process->pid);
        struct su_action *action = NULL;
        int r = 0;

        if (leader || is_grouped_by_unit(kind))
                action = find_action(&planner->plan, kind, process->owner.unit, leader);
        if (!action) {
                r = append_action(&planner->plan, kind, process->owner.unit, &action, err);
                if (r < 0)
                        return r;
                action->leader = leader;
                r = advise(kind, process, program, &action->advice, err);
                if (r >= 0)
                        r = give_reason(process, &action->reason, err);
        }
        if (r >= 0)
                r = append_pid(action, process->pid, err);
        return r;
}

static enum su_action_kind stale_kind(const struct planner *planner, const char *unit)
{
        enum su_rule_action action = su_rules_action(planner->rules, unit);

        return action == SU_RULE_RELOAD ? SU_ACTION_RELOAD : service_kind(planner, unit);
}

static int plan_stale(struct planner *planner, const struct su_stale_unit *stale,
                      struct su_error *err)
{
        enum su_action_kind kind = stale_kind(planner, stale->unit);
        struct su_action *action;
        int r;

        /* A restart for its code's sake reads the data, too. */
        if (find_action(&planner->plan, SU_ACTION_RESTART, stale->unit, 0) ||
            find_action(&planner->plan, kind, stale->unit, 0))
                return 0;
        r = append_action(&planner->plan, kind, stale->unit, &action, err);
        if (r >= 0)
                r = su_format(
                        &action->advice, err,
                        kind == SU_ACTION_RELOAD ? _("reload %s")
                        : kind == SU_ACTION_RESTART
                                ? _("restart %s")
                                : _("%s is not restarted by itself: restart it at a good time"),
                        stale->unit);
        if (r >= 0)
                r = su_format(&action->reason, err, _("it has read %s, which was replaced since"),
                              stale->path);
        return r;
}

static int compare_actions(const void *a, const void *b)
{
        const struct su_action *left = a;
        const struct su_action *right = b;

        if (left->kind != right->kind)
                return (int)left->kind - (int)right->kind;
        if (left->n_pids > 0 && right->n_pids > 0 && !is_grouped_by_unit(left->kind))
                return (left->pids[0] > right->pids[0]) - (left->pids[0] < right->pids[0]);
        return strcmp(left->unit ? left->unit : "", right->unit ? right->unit : "");
}

int su_plan_make(const struct su_exposure *exposure, const struct su_stale *stale,
                 const struct su_rules *rules, const struct su_units *units, struct su_plan *ret,
                 struct su_error *err)
{
        struct planner planner = {.rules = rules, .units = units};
        int r = 0;

        for (size_t i = 0; i < exposure->n_processes && r >= 0; i++)
                r = plan_process(&planner, exposure, &exposure->processes[i], err);
        for (size_t i = 0; i < stale->n_units && r >= 0; i++)
                r = plan_stale(&planner, &stale->units[i], err);
        if (r < 0) {
                su_plan_done(&planner.plan);
                return r;
        }
        if (planner.plan.n_actions > 0)
                qsort(planner.plan.actions, planner.plan.n_actions, sizeof *planner.plan.actions,
                      compare_actions);
        *ret = planner.plan;
        return 0;
}

void su_plan_done(struct su_plan *plan)
{
        for (size_t i = 0; i < plan->n_actions; i++) {
                free(plan->actions[i].unit);
                free(plan->actions[i].advice);
                free(plan->actions[i].reason);
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

size_t su_plan_count_own(const struct su_plan *plan)
{
        return su_plan_count(plan, SU_ACTION_RELOAD) + su_plan_count(plan, SU_ACTION_RESTART) +
               su_plan_count(plan, SU_ACTION_REEXECUTE);
}

const char *su_plan_needs(const struct su_plan *plan)
{
        static const struct {
                enum su_action_kind kind;
                const char *name;
        } needs[] = {
                {SU_ACTION_REBOOT, "reboot"},     {SU_ACTION_SOFT_REBOOT, "soft-reboot"},
                {SU_ACTION_BY_PERSON, "person"},  {SU_ACTION_RELAUNCH, "relaunch"},
                {SU_ACTION_REEXECUTE, "restart"}, {SU_ACTION_RESTART, "restart"},
                {SU_ACTION_RELOAD, "restart"},
        };

        for (size_t i = 0; i < SU_ELEMENTS(needs); i++)
                if (su_plan_count(plan, needs[i].kind) > 0)
                        return needs[i].name;
        return "nothing";
}

int su_plan_execute(const struct su_plan *plan, const struct su_units *units, struct su_error *err)
{
        su_auto_free struct su_unit_job *jobs = calloc(plan->n_actions + 1, sizeof *jobs);
        size_t n_jobs = 0;
        int r = 0;

        if (!jobs)
                return su_fail_oom(err);
        for (size_t i = 0; i < plan->n_actions; i++) {
                const struct su_action *action = &plan->actions[i];

                if (action->kind == SU_ACTION_RELOAD || action->kind == SU_ACTION_RESTART)
                        jobs[n_jobs++] = (struct su_unit_job){action->unit,
                                                              action->kind == SU_ACTION_RELOAD};
        }
        if (n_jobs > 0)
                r = units->run(units->userdata, jobs, n_jobs, err);
        if (r >= 0 && su_plan_count(plan, SU_ACTION_REEXECUTE) > 0)
                r = units->reexecute(units->userdata, err);
        return r;
}
