#include "restart/watch.h"

#include <inttypes.h>
#include <string.h>

#include "base/dropins.h"
#include "base/text.h"

/* So many starts after failures are a loop. */
#define LOOP 2
/* A unit that systemd had to start again, and that has not run for longer than this since, was
 * failing already. */
#define STEADY_US (UINT64_C(60) * 1000000)
/* A check may come too early: some seconds in all. */
#define CHECK_TRIES 3
#define CHECK_PAUSE_US 1000000

static int parse_dropin(void *userdata, const char *path, char *text, struct su_error *err)
{
        return su_health_parse(path, text, userdata, err);
}

static int add_checks(const struct su_health *from, struct su_health *health, struct su_error *err)
{
        int r = 0;

        for (size_t i = 0; i < from->n_checks && r >= 0; i++)
                r = su_health_append(health, from->checks[i].unit, from->checks[i].command, err);
        return r;
}

int su_watch_load_health(int root_fd, const struct su_manifest *manifest, struct su_health *ret,
                         struct su_error *err)
{
        su_auto_health struct su_health health = {0};
        int r = 0;

        for (size_t i = 0; manifest && i < manifest->n_components && r >= 0; i++)
                if (manifest->components[i].fit == SU_FIT_APPLIES)
                        r = add_checks(&manifest->components[i].health, &health, err);
        if (r >= 0)
                r = su_dropins_read(root_fd, "health.d", parse_dropin, &health, err);
        if (r < 0)
                return r;
        *ret = health;
        health = (struct su_health){0};
        return 0;
}

static bool is_restarted(const struct su_action *action)
{
        return action->kind == SU_ACTION_RESTART || action->kind == SU_ACTION_RELOAD;
}

static bool may_count(const struct su_plan *plan, const struct su_health_check *check)
{
        if (su_health_is_general(check))
                return true;
        for (size_t i = 0; i < plan->n_actions; i++)
                if (is_restarted(&plan->actions[i]) &&
                    su_health_is_about(check, plan->actions[i].unit))
                        return true;
        return false;
}

int su_watch_excuse_checks(const struct su_plan *plan, const struct su_health *health,
                           const struct su_units *units, struct su_watched *watched,
                           struct su_error *err)
{
        int r = 0;

        for (size_t i = 0; i < health->n_checks && r >= 0; i++) {
                const struct su_health_check *check = &health->checks[i];

                if (may_count(plan, check) &&
                    units->check(units->userdata, check->command, NULL) < 0)
                        r = su_names_add(&watched->excused, check->command, err);
        }
        return r;
}

static bool fails_already(const struct su_unit_condition *condition)
{
        return condition->failed || condition->restarting ||
               (condition->restarts > 0 && condition->active_us < STEADY_US);
}

/* systemd counts from new when a unit is restarted, and goes on when it is reloaded. */
static int watch_unit(const struct su_action *action, const struct su_units *units,
                      struct su_watched *watched, struct su_error *err)
{
        const bool goes_on = action->kind == SU_ACTION_RELOAD;
        struct su_unit_condition condition;
        int r;

        r = units->condition(units->userdata, action->unit, &condition, err);
        if (r >= 0)
                r = su_watched_add(watched, action->unit, goes_on ? condition.restarts : 0, err);
        if (r >= 0 && fails_already(&condition))
                r = su_names_add(&watched->excused, action->unit, err);
        return r;
}

int su_watch_units(const struct su_plan *plan, const struct su_units *units,
                   struct su_watched *watched, struct su_error *err)
{
        int r = 0;

        for (size_t i = 0; i < plan->n_actions && r >= 0; i++)
                if (is_restarted(&plan->actions[i]))
                        r = watch_unit(&plan->actions[i], units, watched, err);
        return r;
}

/* Somebody may have restarted it meanwhile, from when on systemd counts from new. */
static int64_t count_restarts(const struct su_watched_unit *unit,
                              const struct su_unit_condition *condition)
{
        int64_t now = condition->restarts;

        return now >= unit->restarts ? now - unit->restarts : now;
}

static int explain(const struct su_watched_unit *unit, const struct su_unit_condition *condition,
                   bool last, char **ret_reason, struct su_error *err)
{
        int64_t restarts = count_restarts(unit, condition);

        if (condition->failed)
                return su_format(ret_reason, err, "%s has failed", unit->name);
        if (restarts >= LOOP)
                return su_format(ret_reason, err,
                                 "%s keeps failing: it was started again %" PRId64 " times",
                                 unit->name, restarts);
        if (last && condition->restarting)
                return su_format(ret_reason, err, "%s has failed, and is about to be started again",
                                 unit->name);
        return 0;
}

static int look(const struct su_watched *watched, const struct su_units *units, bool last,
                char **ret_reason, struct su_error *err)
{
        int r = 0;

        for (size_t i = 0; i < watched->n_units && r >= 0 && !*ret_reason; i++) {
                const struct su_watched_unit *unit = &watched->units[i];
                struct su_unit_condition condition;

                if (su_names_have(&watched->excused, unit->name))
                        continue;
                r = units->condition(units->userdata, unit->name, &condition, err);
                if (r >= 0)
                        r = explain(unit, &condition, last, ret_reason, err);
        }
        return r;
}

int su_watch_look(const struct su_watched *watched, const struct su_units *units, char **ret_reason,
                  struct su_error *err)
{
        *ret_reason = NULL;
        return look(watched, units, false, ret_reason, err);
}

static bool counts(const struct su_watched *watched, const struct su_health_check *check)
{
        if (su_names_have(&watched->excused, check->command))
                return false;
        if (su_health_is_general(check))
                return true;
        for (size_t i = 0; i < watched->n_units; i++)
                if (su_health_is_about(check, watched->units[i].name))
                        return true;
        return false;
}

static int run_check(const struct su_health_check *check, const struct su_units *units,
                     char **ret_reason, struct su_error *err)
{
        struct su_error failure = {0};

        for (unsigned i = 0; i < CHECK_TRIES; i++) {
                if (i > 0)
                        (void)usleep(CHECK_PAUSE_US);
                if (units->check(units->userdata, check->command, &failure) >= 0)
                        return 0;
        }
        return su_format(ret_reason, err, "the health check of %s fails: %s",
                         su_health_is_general(check) ? "the system" : check->unit, failure.message);
}

int su_watch_judge(const struct su_watched *watched, const struct su_health *health,
                   const struct su_units *units, char **ret_reason, struct su_error *err)
{
        int r;

        *ret_reason = NULL;
        r = look(watched, units, true, ret_reason, err);
        /* Also where systemd cannot be asked: the level may be why. */
        for (size_t i = 0; i < health->n_checks && !*ret_reason; i++)
                if (counts(watched, &health->checks[i]) &&
                    run_check(&health->checks[i], units, ret_reason, NULL) < 0)
                        return su_fail_oom(err);
        return *ret_reason ? 0 : r;
}

/* As a word of its own: "a.service" is not named by "data.service has failed". */
static bool names(const char *reason, const char *unit)
{
        const size_t size = strlen(unit);
        const char *at = reason;

        while ((at = strstr(at, unit))) {
                if ((at == reason || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
                        return true;
                at++;
        }
        return false;
}

const char *su_watch_unit_of(const struct su_watched *watched, const char *reason)
{
        for (size_t i = 0; i < watched->n_units; i++)
                if (names(reason, watched->units[i].name))
                        return watched->units[i].name;
        return NULL;
}

int su_watch_revive(const struct su_watched *watched, const struct su_units *units,
                    struct su_error *err)
{
        su_auto_free struct su_unit_job *jobs = calloc(watched->n_units + 1, sizeof *jobs);
        size_t n_jobs = 0;

        if (!jobs)
                return su_fail_oom(err);
        for (size_t i = 0; i < watched->n_units; i++) {
                const char *unit = watched->units[i].name;
                struct su_unit_condition condition;
                int r;

                if (su_names_have(&watched->excused, unit))
                        continue;
                r = units->condition(units->userdata, unit, &condition, err);
                if (r < 0)
                        return r;
                if (condition.active_us == 0)
                        jobs[n_jobs++] = (struct su_unit_job){.unit = unit};
        }
        return n_jobs > 0 ? units->run(units->userdata, jobs, n_jobs, err) : 0;
}
