/* One look at a running system: who is exposed once /usr goes, or went, from one level to another,
 * and what ends it. Changes nothing. */
#pragma once

#include "base/error.h"
#include "base/own.h"
#include "device/engine.h"
#include "exposure/exposure.h"
#include "improvement/manifest.h"
#include "restart/moment.h"
#include "restart/plan.h"
#include "restart/stale.h"

struct su_survey {
        struct su_manifest_list former; /* levels before, whose code may still run */
        struct su_old_code_set old_code;
        struct su_exposure exposure; /* processes with old code */
        struct su_stale stale;       /* units with old data */
        struct su_plan plan;
};

/* `from` and `to` may be NULL (the baseline) and must outlive the result. `changed`: when /usr went
 * from one to the other; NULL: that is still to come. */
int su_survey_make(const struct su_engine *engine, const struct su_manifest *from,
                   const struct su_manifest *to, const struct su_moment *changed,
                   struct su_survey *ret, struct su_error *err);
void su_survey_done(struct su_survey *survey);
#define su_auto_survey su_auto(su_survey_done)

/* Whether somebody whom the improvement reaches still uses what is old. */
bool su_survey_is_waiting(const struct su_survey *survey);
