/* What is told about a device, put together before a word is printed: whatever the form, it is the
 * same. */
#pragma once

#include <stdbool.h>

#include "device/engine.h"
#include "device/review.h"

struct su_report {
        const struct su_engine *engine;
        struct su_level level;
        char *version;
        struct su_manifest manifest; /* of the level on /usr */
        struct su_review review;
        bool exposure_known;
        struct su_error why_unknown;
        const char *state;
        struct su_manifest offer; /* of the newer level that the last check offered; baseline NULL:
                                     there is none */
        json_t *events;           /* the history, if a level is in quarantine; else NULL */
        const char *enforcement; /* who sees to it that images stay as sealed; NULL: none is used */
};

/* That nobody can tell who is exposed, as for who is not root, is a part of it; nobody can either
 * when it was not asked for. */
int su_report_make(const struct su_engine *engine, bool with_exposure, struct su_report *ret,
                   struct su_error *err);
void su_report_done(struct su_report *report);
#define su_auto_report su_auto(su_report_done)

/* The publisher's word on the level that is on /usr; NULL: it stands. */
const struct su_refused *su_report_recall(const struct su_report *report);
/* Somebody uses what the level on /usr replaced. */
bool su_report_is_waiting(const struct su_report *report);
/* Whether the repository gave an answer that can be trusted. */
bool su_report_check_is_good(const struct su_check_record *check);
/* Whether the outcome of a check says that what the repository said does not stand up to
 * verification, and not only that it could not be asked. */
bool su_report_is_refusal(const char *outcome);
