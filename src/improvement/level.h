/* Levels: "a" to "z", then "aa" to "zz". Each holds all fixes since the baseline. */
#pragma once

#include <stdbool.h>

#define SU_LEVEL_SIZE 3 /* two letters and a NUL */

struct su_level {
        char name[SU_LEVEL_SIZE]; /* "": none, the baseline itself */
};

bool su_level_parse(const char *text, struct su_level *ret);
/* <0, 0, >0 as `a` is older than, the same as, newer than `b`; the baseline is the oldest. */
int su_level_compare(const struct su_level *a, const struct su_level *b);
/* The one after `level`; false after "zz". */
bool su_level_next(const struct su_level *level, struct su_level *ret);
