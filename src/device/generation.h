/* The generations below the state directory, by number. Each is complete and durable once it has
 * its name. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "improvement/manifest.h"

/* How a component of the level stood to the base when the generation was made. */
struct su_generation_part {
        char *component;
        enum su_fit fit;
};

/* The set of layers that are, or were, active together: those of the level's manifest that applied,
 * in the manifest's order. */
struct su_generation {
        int64_t number;
        char *baseline;
        struct su_level level;
        int64_t created;
        struct su_generation_part *parts; /* a component that is not named applies */
        size_t n_parts;
};

/* Its parts are those of `manifest`, whose level it is. */
int su_generation_save(int state_fd, int64_t number, const struct su_manifest *manifest,
                       struct su_error *err);
int su_generation_load(int state_fd, int64_t number, struct su_generation *ret,
                       struct su_error *err);
void su_generation_done(struct su_generation *generation);
#define su_auto_generation su_auto(su_generation_done)

/* The manifest of its level, with the fit of each component. */
int su_generation_load_manifest(int state_fd, const struct su_generation *generation,
                                struct su_manifest *ret, struct su_error *err);

/* By what name it lies in the directory "generations". */
int su_generation_name(int64_t number, char **ret, struct su_error *err);
