#include "device/boot.h"

#include <string.h>

#include "base/text.h"
#include "device/events.h"
#include "device/quarantine.h"
#include "device/refresh.h"
#include "device/suspend.h"
#include "device/transition.h"
#include "restart/moment.h"

static int record(struct su_engine *engine, const struct su_activation *activation,
                  struct su_error *err)
{
        static const char *const events[] = {
                [SU_ACTIVATED_RESTORED] = "activate",
                [SU_ACTIVATED_RETIRED] = "retire",
                [SU_ACTIVATED_FALLEN_BACK] = "fall-back",
        };
        static const struct su_refresh none = {0};
        const struct su_restoration *restoration = &activation->restoration;
        const bool stays = activation->activated == SU_ACTIVATED_RESTORED &&
                           restoration->restored != SU_RESTORED_BASELINE;
        json_t *more =
                json_pack("{s:s, s:s?, s:s*, s:b, s:o}", "from", activation->level.name, "to",
                          stays ? activation->level.name : NULL, "reason", activation->reason,
                          "changed", true, "components", su_fits_to_json(&restoration->to));

        return su_event_record(
                engine,
                su_event_with(su_refresh_event(events[activation->activated], NULL, &none), more),
                err);
}

/* Each boot counts once, however often its user space is restarted. */
static int count_boot(struct su_engine *engine, struct su_error *err)
{
        struct su_boot_count *boots = &engine->state.boots;
        struct su_moment now;
        int r;

        r = su_moment_now(&now, err);
        if (r < 0 || strcmp(now.boot_id, boots->counted) == 0)
                return r;
        boots->tries++;
        memcpy(boots->counted, now.boot_id, sizeof boots->counted);
        return su_state_save(engine->state_fd, &engine->state, err);
}

/* Why the active level must not come back; `ret` stays NULL when it may. */
static int find_trouble(const struct su_engine *engine, char **ret, struct su_error *err)
{
        const struct su_state *state = &engine->state;
        const struct su_refused *refused =
                su_refusals_find(&state->knowledge.quarantine, &state->level);

        if (refused)
                return su_strdup(refused->reason, ret, err);
        if (state->boots.tries < SU_BOOT_TRIES)
                return 0;
        return su_format(ret, err, "%d boots in a row did not reach the healthy mark",
                         (int)state->boots.tries);
}

static int fall_back(struct su_engine *engine, struct su_activation *activation,
                     struct su_error *err)
{
        int r;

        activation->activated = SU_ACTIVATED_FALLEN_BACK;
        r = su_quarantine_add(engine, &activation->level, activation->reason, NULL, err);
        if (r >= 0)
                r = su_transition_to_baseline(engine, NULL, NULL, NULL, err);
        return r < 0 ? r : record(engine, activation, err);
}

/* The full update has what they fixed. */
static int retire(struct su_engine *engine, struct su_activation *activation, struct su_error *err)
{
        int r;

        activation->activated = SU_ACTIVATED_RETIRED;
        r = su_format(&activation->reason, err, "they were for %s", engine->state.baseline);
        if (r >= 0)
                r = su_transition_to_baseline(engine, NULL, NULL, NULL, err);
        return r < 0 ? r : record(engine, activation, err);
}

/* On a disk that is full or cannot be written the boot is not counted, and as well not without the
 * fixes. */
static int restore(struct su_engine *engine, struct su_activation *activation, struct su_error *err)
{
        const struct su_boot_count before = engine->state.boots;
        struct su_error uncounted = {0};
        int counted;
        int r;

        activation->activated = SU_ACTIVATED_RESTORED;
        counted = count_boot(engine, &uncounted);
        r = su_restore(engine, &activation->restoration, err);
        /* A boot without the layers says nothing about them. */
        if (r < 0 && engine->mounted == 0) {
                engine->state.boots = before;
                (void)su_state_save(engine->state_fd, &engine->state, NULL);
        }
        if (r < 0)
                return r;
        if (counted < 0) {
                if (err)
                        *err = uncounted;
                return su_fail_prefix(err, counted,
                                      "the layers are on /usr, but this boot is not counted:");
        }
        if (activation->restoration.restored == SU_RESTORED_ALL)
                return r;
        return record(engine, activation, err);
}

static int fail_for_conflict(const struct su_engine *engine, struct su_error *err)
{
        if (err)
                *err = engine->conflict;
        return -engine->conflict.errnum;
}

int su_activate(struct su_engine *engine, struct su_activation *activation, struct su_error *err)
{
        const struct su_state *state = &engine->state;
        int r;

        activation->level = state->level;
        if (engine->disabled)
                activation->activated = SU_ACTIVATED_DISABLED;
        else if (engine->mounted > 0)
                activation->activated = SU_ACTIVATED_ALREADY;
        if (activation->activated != SU_ACTIVATED_NOTHING || state->active == 0)
                return 0;
        r = su_suspend_check(engine, err);
        if (r < 0)
                return r;
        if (engine->conflict.code != SU_OK)
                return fail_for_conflict(engine, err);
        if (state->baseline && strcmp(state->baseline, engine->os.baseline) != 0)
                return retire(engine, activation, err);
        r = find_trouble(engine, &activation->reason, err);
        if (r < 0)
                return r;
        return activation->reason ? fall_back(engine, activation, err)
                                  : restore(engine, activation, err);
}

void su_activation_done(struct su_activation *activation)
{
        su_restoration_done(&activation->restoration);
        free(activation->reason);
        *activation = (struct su_activation){0};
}

int su_mark_healthy(struct su_engine *engine, struct su_collected *ret, struct su_error *err)
{
        struct su_boot_count *boots = &engine->state.boots;
        int r = 0;

        /* A boot without the layers, as with suture.disable, says nothing about them. */
        if (boots->tries > 0 && engine->mounted == engine->state.active) {
                boots->tries = 0;
                r = su_state_save(engine->state_fd, &engine->state, err);
        }
        return r < 0 ? r
                     : su_collect_garbage(engine->state_fd, &engine->state, engine->mounted,
                                          engine->os.baseline, ret, err);
}
