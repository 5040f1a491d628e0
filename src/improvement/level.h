/* Levels: "a" to "z", then "aa" to "zz". Each holds all fixes since the baseline. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "json/json.h"

#define SU_LEVEL_SIZE 3 /* two letters and a NUL */

struct su_level {
        char name[SU_LEVEL_SIZE]; /* "": none, the baseline itself */
};

bool su_level_parse(const char *text, struct su_level *ret);
/* A field that is a level, or null or missing for the baseline. */
int su_level_from_json(const json_t *object, const char *name, struct su_level *ret,
                       struct su_error *err);

/* <0, 0, >0 as `a` is older than, the same as, newer than `b`; the baseline is the oldest. */
int su_level_compare(const struct su_level *a, const struct su_level *b);
/* The one after `level`; false after "zz". */
bool su_level_next(const struct su_level *level, struct su_level *ret);
