#include "device/restart.h"

#include "device/events.h"
#include "device/suspend.h"

static int record(struct su_engine *engine, const struct su_restart *restart,
                  const struct su_error *failure, struct su_error *err)
{
        const char *level = engine->state.level.name[0] ? engine->state.level.name : NULL;
        json_t *more = json_pack("{s:s?, s:s?, s:b}", "from", level, "to", level, "changed", false);

        return su_event_record(
                engine,
                su_event_with(su_refresh_event("restart", failure, &restart->refresh), more), err);
}

static int refresh_present(struct su_engine *engine, enum su_restart_when when,
                           struct su_restart *restart, struct su_error *err)
{
        const struct su_manifest *from = restart->from.baseline ? &restart->from : NULL;
        const struct su_manifest *to = restart->to.baseline ? &restart->to : NULL;
        const bool forward = to && (!from || su_level_compare(&to->level, &from->level) > 0);
        su_auto_lookout struct su_lookout lookout = {0};

        return su_refresh(engine, from, to, when, forward ? &lookout : NULL, &restart->refresh,
                          err);
}

int su_restart(struct su_engine *engine, enum su_restart_when when, bool dry_run,
               struct su_restart *restart, struct su_error *err)
{
        struct su_refresh *refresh = &restart->refresh;
        struct su_error failure = {0};
        int recorded = 0;
        int r;

        restart->dry_run = dry_run;
        r = su_suspend_check(engine, err);
        if (r < 0)
                return r;
        if (engine->mounted != engine->state.active)
                return su_fail(err, SU_ERROR_NOT_INSTALLED,
                               "level (%s) is installed, but not on /usr: run 'suture activate'",
                               engine->state.level.name);
        r = su_review_present(engine, &restart->from, &restart->to, err);
        if (r < 0)
                return r;
        r = refresh_present(engine, dry_run ? SU_RESTART_LATER : when, restart, &failure);
        if (refresh->restarted)
                recorded = record(engine, restart, r < 0 ? &failure : NULL, r < 0 ? NULL : err);
        if (r < 0 && err)
                *err = failure;
        return r < 0 ? r : recorded;
}

void su_restart_done(struct su_restart *restart)
{
        su_refresh_done(&restart->refresh);
        su_manifest_done(&restart->from);
        su_manifest_done(&restart->to);
        *restart = (struct su_restart){0};
}
