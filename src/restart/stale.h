/* Units that have read data which was replaced since: no scan of memory finds those, so that a
 * restart rule with Data= has to name them. */
#pragma once

#include "base/error.h"
#include "base/own.h"
#include "improvement/manifest.h"
#include "improvement/rule.h"
#include "restart/moment.h"
#include "restart/units.h"

struct su_stale_unit {
        char *unit;
        char *component;
        char *path; /* the first of the replaced files that it reads */
};

struct su_stale {
        struct su_stale_unit *units; /* each once */
        size_t n_units;
};

/* Who reads a file that is another one with `to` on /usr than with `from` (either may be NULL: the
 * baseline), and was started before `changed`; NULL: all that are active, for the change is still
 * to come. */
int su_stale_find(const struct su_manifest *from, const struct su_manifest *to,
                  const struct su_rules *rules, const struct su_units *units,
                  const struct su_moment *changed, struct su_stale *ret, struct su_error *err);
void su_stale_done(struct su_stale *stale);
#define su_auto_stale su_auto(su_stale_done)
