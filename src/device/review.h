/* Look without changing anything: what runs old code, per fix. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"
#include "device/engine.h"
#include "device/exposure.h"
#include "device/plan.h"
#include "improvement/manifest.h"

struct su_review {
        bool installed;        /* `level` is on /usr; else it is only offered, or was removed */
        struct su_level level; /* whose old code is looked for; "" when there is none to look for */
        struct su_manifest from; /* baseline NULL: none */
        struct su_manifest to;
        struct su_old_code_set old_code;
        struct su_exposure exposure;
        struct su_plan plan;
};

/* Against the level that the last check offered, else the one on /usr, else the one that was
 * removed last. Needs root: PERMISSION otherwise. */
int su_review_make(const struct su_engine *engine, struct su_review *ret, struct su_error *err);
void su_review_done(struct su_review *review);
#define su_auto_review su_auto(su_review_done)

/* The manifest of the level on /usr. baseline NULL: none is. */
int su_review_active(const struct su_engine *engine, struct su_manifest *ret, struct su_error *err);
