/* What is watched after a refresh, as it is remembered until the watch has ended. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "json/json.h"

struct su_names {
        char **names;
        size_t n_names;
};

bool su_names_have(const struct su_names *names, const char *name);
/* A name that is there already is not added again. */
int su_names_add(struct su_names *names, const char *name, struct su_error *err);
void su_names_done(struct su_names *names);

struct su_watched_unit {
        char *name;
        int64_t restarts; /* by systemd, before the watch began: no fault of this change */
};

struct su_watched {
        int64_t generation; /* 0: nothing is watched */
        struct su_watched_unit *units;
        size_t n_units;
        struct su_names excused; /* units and health commands that failed before already */
};

int su_watched_add(struct su_watched *watched, const char *unit, int64_t restarts,
                   struct su_error *err);
int su_watched_from_json(const json_t *object, struct su_watched *ret, struct su_error *err);
/* NULL: memory ran out. */
json_t *su_watched_to_json(const struct su_watched *watched);
void su_watched_done(struct su_watched *watched);
#define su_auto_watched su_auto(su_watched_done)
