/* Change what is on /usr: install the level that is offered, go back to the baseline, or to what
 * was there before. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "device/choice.h"
#include "device/collect.h"
#include "device/conditions.h"
#include "device/engine.h"
#include "device/refresh.h"
#include "improvement/manifest.h"
#include "layers/layers.h"

#define SU_STEPS_MAX 16

struct su_step {
        const char *name;
        uint64_t at_us; /* when it began, microseconds since 1970 */
        uint64_t us;    /* how long it took */
};

/* Told when a step begins (`done` is 0 then, and only then), and now and then how far it is
 * (`total` is 0 when nobody knows), so that a person sees what is going on. True asks to stop:
 * until the swap begins, the change ends with CANCELLED, and the only traces are finished
 * downloads. May be NULL.
 */
typedef bool (*su_step_listener)(void *userdata, const char *step, uint64_t done, uint64_t total);

struct su_change_options {
        bool dry_run;       /* do everything that changes nothing, and say what would be done */
        bool unattended;    /* nobody asked for it: what is withheld for a person stays as it is */
        bool force;         /* install also what failed here before */
        bool download_only; /* install: stop when all images are in the store */
        struct su_surroundings surroundings; /* of what is unattended */
        const char *reason;                  /* for the history; may be NULL */
        const char *unit;                    /* the one that the reason is about; may be NULL */
        enum su_restart_when when;
        su_step_listener listener;
        void *userdata;
};

/* What was done (or, on a dry run, would be). Filled in step by step: after a failure it tells how
 * far the change got. */
struct su_change {
        bool dry_run;
        bool changed;   /* /usr is another one now */
        bool staged;    /* the images of `to` are in the store, and that was all that was wanted */
        unsigned waits; /* conditions (conditions.h) that what is unattended waits for */
        bool recalled;  /* what was on /usr had been recalled */
        struct su_level from_level;
        struct su_level to_level;
        struct su_manifest from; /* baseline NULL: the OS baseline without improvement */
        struct su_manifest to;
        int64_t generation;
        struct su_choice *choices; /* by which delta each image of `to` is made */
        size_t n_choices;
        uint64_t download_bytes; /* of deltas */
        uint64_t image_bytes;    /* to be rebuilt */
        struct su_step steps[SU_STEPS_MAX];
        size_t n_steps;
        struct su_swap_times swap;
        struct su_survey before;   /* who is exposed once /usr is swapped, and the plan for it */
        struct su_refresh refresh; /* what was restarted, and what is left */
        struct su_collected collected; /* removed from the store at the end */
        struct su_error not_collected; /* why not all was: no reason for the change to fail */
};

void su_change_done(struct su_change *change);
#define su_auto_change su_auto(su_change_done)

/* `change` is zeroed by the caller and done by it in any case. RESTART when /usr was swapped but a
 * unit did not come back. A level that was recalled is left, for the next one or for what was there
 * before. QUARANTINED when the level failed here before; WITHHELD when only a person may do it;
 * DISABLED when this boot is to go without improvements. What was restarted is to be watched
 * afterwards: su_watch(). */
int su_install(struct su_engine *engine, const struct su_change_options *options,
               struct su_change *change, struct su_error *err);

/* NOT_INSTALLED when no improvement is on /usr. */
int su_remove(struct su_engine *engine, const struct su_change_options *options,
              struct su_change *change, struct su_error *err);

/* Leave the level on /usr for the newest one below it that is whole and not refused, or for the
 * baseline. */
int su_take_back(struct su_engine *engine, const struct su_change_options *options,
                 struct su_change *change, struct su_error *err);

/* What would be, or is to be, restarted. */
const struct su_plan *su_change_plan(const struct su_change *change);
