/* What a device remembers about the baseline that it runs, and forgets with it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "improvement/level.h"
#include "json/json.h"

/* Levels that are not to be installed, and why. */
struct su_refused {
        struct su_level level;
        int64_t at; /* since when, seconds since 1970 */
        char *reason;
};

struct su_refusals {
        struct su_refused *levels;
        size_t n_levels;
};

/* NULL when it is not refused. */
const struct su_refused *su_refusals_find(const struct su_refusals *refusals,
                                          const struct su_level *level);
/* A level has one entry; a later one takes its place. */
int su_refusals_add(struct su_refusals *refusals, const struct su_level *level, const char *reason,
                    struct su_error *err);
void su_refusals_drop(struct su_refusals *refusals, const struct su_level *level);
void su_refusals_done(struct su_refusals *refusals);

struct su_knowledge {
        char *baseline;          /* NULL: nothing is remembered */
        int64_t serial;          /* of the newest channel document that was seen; 0: none */
        struct su_level floor;   /* the highest that any of them had */
        struct su_level removed; /* taken off by a person last */
        struct su_level staged;  /* its images are in the store, and it waits to be installed */
        struct su_refusals quarantine; /* what failed here */
        struct su_refusals recalls;    /* what the publisher withdrew, by that channel document */
};

/* The knowledge is of `baseline` from now on: what was of another one is forgotten. */
int su_knowledge_turn_to(struct su_knowledge *knowledge, const char *baseline,
                         struct su_error *err);

int su_knowledge_from_json(const json_t *object, struct su_knowledge *ret, struct su_error *err);
/* NULL: memory ran out. */
json_t *su_knowledge_to_json(const struct su_knowledge *knowledge);
void su_knowledge_done(struct su_knowledge *knowledge);
#define su_auto_knowledge su_auto(su_knowledge_done)
