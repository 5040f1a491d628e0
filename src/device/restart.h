/* Do the restarts that were put off when /usr was changed, or that became needed since. */
#pragma once

#include "device/refresh.h"
#include "device/review.h"

struct su_restart {
        bool dry_run;
        struct su_manifest from; /* what `refresh` speaks of; baseline NULL: the OS baseline */
        struct su_manifest to;
        struct su_refresh refresh;
};

/* On a dry run the plan is made, and nothing is carried out. RESTART when a unit did not come back.
 */
int su_restart(struct su_engine *engine, enum su_restart_when when, bool dry_run,
               struct su_restart *restart, struct su_error *err);
void su_restart_done(struct su_restart *restart);
#define su_auto_restart su_auto(su_restart_done)
