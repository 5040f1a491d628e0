/* After /usr changed: restart what Suture may restart, when it may, and look again. What is left
 * waits: for its time, for a person, or for its own end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "device/engine.h"
#include "device/survey.h"
#include "improvement/health.h"
#include "restart/watched.h"
#include "json/json.h"

enum su_restart_when {
        SU_RESTART_WHEN_DUE, /* a maintenance window is open, none is set, or the deadline passed */
        SU_RESTART_NOW,
        SU_RESTART_LATER,
        SU_RESTART_TONIGHT, /* not before the next night; then when it is due */
};

struct su_refresh {
        struct su_plan plan; /* made once /usr was changed: what was, or is to be, restarted */
        bool restarted;      /* it was carried out, as far as it is Suture's to do */
        bool overdue;        /* deferred, and the deadline has passed: policy only wants it said */
        int64_t opens;       /* deferred: when the next window opens (-1: never); else 0 */
        struct su_survey after; /* what is left */
};

/* What a watch begins with. */
struct su_lookout {
        bool prepared;           /* before /usr was changed; else it is done before the restarts */
        struct su_health health; /* all checks that hold for the level that comes */
        struct su_watched watched;
};

/* `plan` says what will probably be restarted. */
int su_lookout_prepare(const struct su_engine *engine, const struct su_plan *plan,
                       const struct su_manifest *to, struct su_lookout *ret, struct su_error *err);
void su_lookout_done(struct su_lookout *lookout);
#define su_auto_lookout su_auto(su_lookout_done)

/* `from` and `to` may be NULL: the baseline; they must outlive the result. `ret` is filled in also
 * when RESTART says that a unit did not come back. With a `lookout` the state says what is to be
 * watched (watch.h) before anything is restarted; without, nothing is. */
int su_refresh(struct su_engine *engine, const struct su_manifest *from,
               const struct su_manifest *to, enum su_restart_when when, struct su_lookout *lookout,
               struct su_refresh *ret, struct su_error *err);
/* An event for the history: also what was restarted, and what is left. NULL: memory ran out. */
json_t *su_refresh_event(const char *event, const struct su_error *failure,
                         const struct su_refresh *refresh);
void su_refresh_done(struct su_refresh *refresh);
#define su_auto_refresh su_auto(su_refresh_done)
