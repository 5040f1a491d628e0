#include "device/watch.h"

#include "base/clock.h"
#include "base/text.h"
#include "device/quarantine.h"
#include "device/review.h"
#include "device/suspend.h"
#include "restart/watch.h"

#define LOOK_EVERY_US 250000

static int forget(struct su_engine *engine, struct su_error *err)
{
        su_watched_done(&engine->state.watched);
        return su_state_save(engine->state_fd, &engine->state, err);
}

/* Another generation is on /usr by now: what the watched one broke does not come back by itself. */
static int revive(struct su_engine *engine, struct su_error *err)
{
        int revived;
        int r;

        revived = su_watch_revive(&engine->state.watched, engine->units, err);
        r = forget(engine, revived < 0 ? NULL : err);
        return revived < 0 ? revived : r;
}

/* Killed after the verdict and before it was carried out. */
static int find_verdict(const struct su_engine *engine, struct su_watch *watch,
                        struct su_error *err)
{
        const struct su_refused *refused =
                su_refusals_find(&engine->state.knowledge.quarantine, &watch->level);

        return refused ? su_strdup(refused->reason, &watch->reason, err) : 0;
}

static int look_until(struct su_engine *engine, uint64_t end, su_step_listener listener,
                      void *userdata, struct su_watch *watch, struct su_error *err)
{
        const uint64_t begin = su_monotonic_us();
        uint64_t now;
        int r = 0;

        while (r >= 0 && !watch->reason && (now = su_monotonic_us()) < end) {
                if (listener &&
                    listener(userdata, "watch", (now - begin) / 1000 + 1, (end - begin) / 1000))
                        return su_fail(err, SU_ERROR_CANCELLED,
                                       "cancelled: 'suture watch' goes on with the watch");
                watch->pending = su_state_is_asked_for(engine->state_fd);
                if (watch->pending)
                        return 0;
                r = su_watch_look(&engine->state.watched, engine->units, &watch->reason, err);
                if (!watch->reason)
                        (void)usleep(LOOK_EVERY_US);
        }
        return r;
}

static int judge(struct su_engine *engine, struct su_watch *watch, struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        su_auto_health struct su_health health = {0};
        int r;

        r = su_review_active(engine, &manifest, err);
        if (r >= 0)
                r = su_watch_load_health(engine->root_fd, manifest.baseline ? &manifest : NULL,
                                         &health, err);
        return r < 0 ? r
                     : su_watch_judge(&engine->state.watched, &health, engine->units,
                                      &watch->reason, err);
}

/* The verdict stands in the state before it is carried out. */
static int take_back(struct su_engine *engine, struct su_watch *watch, struct su_error *err)
{
        const char *unit = su_watch_unit_of(&engine->state.watched, watch->reason);
        const struct su_change_options options = {
                .when = SU_RESTART_NOW,
                .reason = watch->reason,
                .unit = unit,
        };
        int r;

        r = su_quarantine_add(engine, &watch->level, watch->reason, unit, err);
        if (r >= 0)
                r = su_take_back(engine, &options, &watch->back, err);
        if (watch->back.changed) {
                int revived = revive(engine, r < 0 ? NULL : err);

                r = r < 0 ? r : revived;
        }
        if (r < 0)
                return su_fail_prefix(err, r, "level (%s) is to be taken back, for %s, but",
                                      watch->level.name, watch->reason);
        return su_fail(err, SU_ERROR_TAKEN_BACK, "level (%s) was taken back, for %s",
                       watch->level.name, watch->reason);
}

int su_watch(struct su_engine *engine, int64_t seconds, su_step_listener listener, void *userdata,
             struct su_watch *watch, struct su_error *err)
{
        struct su_state *state = &engine->state;
        int r;

        if (state->watched.generation == 0)
                return 0;
        r = su_suspend_check(engine, err);
        if (r < 0)
                return r;
        if (state->watched.generation != state->active)
                return revive(engine, err);
        /* Off for this boot, or until what a package manager left is put back. */
        watch->pending = engine->mounted != state->active;
        if (watch->pending)
                return 0;
        watch->level = state->level;
        if (listener)
                (void)listener(userdata, "watch", 0, 0);
        r = find_verdict(engine, watch, err);
        if (r >= 0)
                r = look_until(engine, su_monotonic_us() + (uint64_t)seconds * 1000000, listener,
                               userdata, watch, err);
        if (r >= 0 && !watch->reason && !watch->pending)
                r = judge(engine, watch, err);
        if (r < 0 || watch->pending)
                return r;
        if (watch->reason)
                return take_back(engine, watch, err);
        watch->settled = true;
        return forget(engine, err);
}

int su_watch_verdict(struct su_engine *engine, su_step_listener listener, void *userdata, int r,
                     struct su_error *err)
{
        su_auto_watch struct su_watch watch = {0};
        struct su_error verdict = {0};
        int w;

        w = su_watch(engine, engine->config.watch_time, listener, userdata, &watch, &verdict);
        /* The watch goes on later; the change is done. */
        if (w >= 0 || verdict.code == SU_ERROR_CANCELLED ||
            (verdict.code == SU_ERROR_BUSY && !watch.reason))
                return r;
        if (err)
                *err = verdict;
        return w;
}

void su_watch_done(struct su_watch *watch)
{
        su_change_done(&watch->back);
        free(watch->reason);
        *watch = (struct su_watch){0};
}
