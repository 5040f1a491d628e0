#include "device/refresh.h"

#include "base/clock.h"
#include "device/events.h"
#include "restart/due.h"
#include "restart/watch.h"

/* What a person wished, until it is overdue and the administrator wants it done then. */
static bool is_too_early(const struct su_engine *engine, int64_t now)
{
        const struct su_restart_policy *policy = &engine->config.restart;

        return su_restart_put_off_until(engine->state.restart_after, now) > now &&
               !(policy->restart_overdue &&
                 su_restart_is_overdue(policy, engine->state.waiting_since, now));
}

static bool may_restart(const struct su_engine *engine, enum su_restart_when when)
{
        const int64_t now = su_now();

        return when == SU_RESTART_NOW ||
               (when == SU_RESTART_WHEN_DUE && !is_too_early(engine, now) &&
                su_restart_is_due(&engine->config.restart, engine->state.waiting_since, now));
}

int su_lookout_prepare(const struct su_engine *engine, const struct su_plan *plan,
                       const struct su_manifest *to, struct su_lookout *ret, struct su_error *err)
{
        int r;

        ret->prepared = true;
        if (!to || engine->config.watch_time == 0)
                return 0;
        r = su_watch_load_health(engine->root_fd, to, &ret->health, err);
        return r < 0 ? r
                     : su_watch_excuse_checks(plan, &ret->health, engine->units, &ret->watched,
                                              err);
}

void su_lookout_done(struct su_lookout *lookout)
{
        su_health_done(&lookout->health);
        su_watched_done(&lookout->watched);
}

static bool has_general_check(const struct su_health *health)
{
        for (size_t i = 0; i < health->n_checks; i++)
                if (su_health_is_general(&health->checks[i]))
                        return true;
        return false;
}

/* Written ahead: whoever finds the state after a kill watches on. */
static int begin_watch(struct su_engine *engine, const struct su_plan *plan,
                       struct su_lookout *lookout, struct su_error *err)
{
        struct su_watched *watched = &lookout->watched;
        int r;

        if (engine->mounted == 0 || engine->config.watch_time == 0)
                return 0;
        r = su_watch_units(plan, engine->units, watched, err);
        if (r < 0 || (watched->n_units == 0 && !has_general_check(&lookout->health)))
                return r;
        watched->generation = engine->mounted;
        su_watched_done(&engine->state.watched);
        engine->state.watched = *watched;
        *watched = (struct su_watched){0};
        return su_state_save(engine->state_fd, &engine->state, err);
}

static void put_off(const struct su_engine *engine, struct su_refresh *refresh)
{
        const struct su_restart_policy *policy = &engine->config.restart;
        const int64_t now = su_now();

        refresh->opens = su_restart_opens(
                policy, su_restart_put_off_until(engine->state.restart_after, now));
        refresh->overdue = su_restart_is_overdue(policy, engine->state.waiting_since, now);
}

/* Where nothing is to be restarted, there is something to watch only when /usr is new. */
static int prepare_watch(struct su_engine *engine, const struct su_manifest *to,
                         const struct su_plan *plan, struct su_lookout *lookout,
                         struct su_error *err)
{
        int r = 0;

        if (!lookout->prepared && su_plan_count_own(plan) == 0)
                return 0;
        if (!lookout->prepared)
                r = su_lookout_prepare(engine, plan, to, lookout, err);
        return r < 0 ? r : begin_watch(engine, plan, lookout, err);
}

static int carry_out(struct su_engine *engine, const struct su_manifest *to,
                     enum su_restart_when when, struct su_lookout *lookout,
                     struct su_refresh *refresh, struct su_error *err)
{
        const bool any = su_plan_count_own(&refresh->plan) > 0;
        int r = 0;

        if (any && when == SU_RESTART_TONIGHT)
                engine->state.restart_after = su_restart_tonight(su_now());
        if (any && !may_restart(engine, when)) {
                put_off(engine, refresh);
                return 0;
        }
        if (lookout)
                r = prepare_watch(engine, to, &refresh->plan, lookout, err);
        if (r < 0 || !any)
                return r;
        refresh->restarted = true;
        return su_plan_execute(&refresh->plan, engine->units, err);
}

/* Since when somebody waits stands in the state: the deadline counts from there. `before` is until
 * when it was put off before. */
static int remember(struct su_engine *engine, const struct su_refresh *refresh, int64_t before,
                    struct su_error *err)
{
        struct su_state *state = &engine->state;
        int64_t since = 0;

        if (su_survey_is_waiting(&refresh->after))
                since = state->waiting_since ? state->waiting_since : su_now();
        if (since == 0 || refresh->restarted)
                state->restart_after = 0;
        if (since == state->waiting_since && state->restart_after == before)
                return 0;
        state->waiting_since = since;
        return su_state_save(engine->state_fd, state, err);
}

int su_refresh(struct su_engine *engine, const struct su_manifest *from,
               const struct su_manifest *to, enum su_restart_when when, struct su_lookout *lookout,
               struct su_refresh *ret, struct su_error *err)
{
        const struct su_moment *changed = &engine->state.changed;
        const int64_t before = engine->state.restart_after;
        su_auto_survey struct su_survey survey = {0};
        struct su_error restart_error = {0};
        int restarted;
        int r;

        r = su_survey_make(engine, from, to, changed, &survey, err);
        if (r < 0)
                return r;
        ret->plan = survey.plan;
        survey.plan = (struct su_plan){0};
        restarted = carry_out(engine, to, when, lookout, ret, &restart_error);
        r = su_survey_make(engine, from, to, changed, &ret->after, err);
        if (r >= 0)
                r = remember(engine, ret, before, err);
        if (r < 0 || restarted >= 0)
                return r;
        if (err)
                *err = restart_error;
        return restarted;
}

static json_t *restarted_units(const struct su_refresh *refresh)
{
        su_auto_json json_t *names = json_array();

        for (size_t i = 0; refresh->restarted && i < refresh->plan.n_actions; i++) {
                const struct su_action *action = &refresh->plan.actions[i];

                if (action->kind == SU_ACTION_RESTART &&
                    json_array_append_new(names, json_string(action->unit)) < 0)
                        return NULL;
        }
        return su_take(names);
}

json_t *su_refresh_event(const char *event, const struct su_error *failure,
                         const struct su_refresh *refresh)
{
        return su_event_with(su_event_make(event, failure),
                             json_pack("{s:o, s:I, s:s}", "restarted", restarted_units(refresh),
                                       "exposed_after",
                                       (json_int_t)su_exposure_count(&refresh->after.exposure),
                                       "needs", su_plan_needs(&refresh->after.plan)));
}

void su_refresh_done(struct su_refresh *refresh)
{
        su_survey_done(&refresh->after);
        su_plan_done(&refresh->plan);
        *refresh = (struct su_refresh){0};
}
