/* The watch over what an install restarted: a failure takes the level back live and quarantines it.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"
#include "device/change.h"
#include "device/engine.h"

struct su_watch {
        struct su_level level; /* that was watched; "": there was nothing to watch */
        bool settled;          /* nothing failed: the watch is over */
        bool pending;          /* somebody wants to work on this system: it goes on later */
        char *reason;          /* what failed, NULL: nothing */
        struct su_change back; /* how the level was taken back, when something failed */
};

/* Watch to the end, with what is remembered of a watch that was begun. `seconds` are left of it.
 * TAKEN_BACK, naming unit and reason, when the level was taken back; another error when that
 * failed, too. CANCELLED when the listener, who may be NULL, asked to stop: it goes on later. */
int su_watch(struct su_engine *engine, int64_t seconds, su_step_listener listener, void *userdata,
             struct su_watch *watch, struct su_error *err);
/* After a refresh that gave `r`: watch for the configured time. A unit that did not come back is a
 * reason to take the level back, so the verdict, if there is one, takes the place of `r`. */
int su_watch_verdict(struct su_engine *engine, su_step_listener listener, void *userdata, int r,
                     struct su_error *err);
void su_watch_done(struct su_watch *watch);
#define su_auto_watch su_auto(su_watch_done)
