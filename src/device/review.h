/* Look without changing anything: what runs old code, per fix. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"
#include "device/engine.h"
#include "device/survey.h"
#include "improvement/manifest.h"

struct su_review {
        bool installed;        /* `level` is on /usr; else it is only offered, or was removed */
        struct su_level level; /* whose old code is looked for; "" when there is none to look for */
        struct su_manifest from; /* baseline NULL: none */
        struct su_manifest to;
        struct su_survey survey;
};

/* Against the level that the last check offered, else the one on /usr, else the one that was
 * removed last. Needs root: PERMISSION otherwise. */
int su_review_make(const struct su_engine *engine, struct su_review *ret, struct su_error *err);
void su_review_done(struct su_review *review);
#define su_auto_review su_auto(su_review_done)

/* From what to what /usr went last. baseline NULL: the OS baseline. */
int su_review_present(const struct su_engine *engine, struct su_manifest *ret_from,
                      struct su_manifest *ret_to, struct su_error *err);

/* The manifest of the level that the last check offered, when that is newer than the one on /usr.
 * baseline NULL: there is none. */
int su_review_offered(const struct su_engine *engine, struct su_manifest *ret,
                      struct su_error *err);

/* The manifest of the level on /usr. baseline NULL: none is. */
int su_review_active(const struct su_engine *engine, struct su_manifest *ret, struct su_error *err);
