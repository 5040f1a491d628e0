/* The swap of /usr from one generation to another, written ahead: the new generation and that a
 * transition to it begins stand in the store before the first call that changes /usr. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "device/engine.h"
#include "improvement/manifest.h"
#include "layers/layers.h"

/* Make a new generation of the components of `to` that apply, and swap to it; its number. At least
 * one must apply. On failure /usr and the state are what they were: `from` is what lies there now,
 * NULL for the baseline. */
int su_transition_to(struct su_engine *engine, const struct su_manifest *from,
                     const struct su_manifest *to, int64_t *ret_generation,
                     struct su_swap_times *ret_times, struct su_error *err);

/* Back to the baseline, from `from`. `removed` is what the user took off; NULL when it was not the
 * user's doing. */
int su_transition_to_baseline(struct su_engine *engine, const struct su_manifest *from,
                              const struct su_level *removed, struct su_swap_times *ret_times,
                              struct su_error *err);

/* The same when no component of `manifest` applies any more: its fits, which say what the base has
 * instead, are kept as a generation without layers. */
int su_transition_retire(struct su_engine *engine, const struct su_manifest *manifest,
                         struct su_error *err);

/* Put the layers of generation `number`, which is the active one, on /usr again. */
int su_transition_restore(struct su_engine *engine, const struct su_manifest *manifest,
                          int64_t number, struct su_error *err);

/* /opt has its overlay beside the one on /usr, and a kill may come between the two swaps: /usr's
 * counts. `manifest` is of what lies on /usr, NULL for the baseline. */
bool su_transition_is_whole(const struct su_engine *engine, const struct su_manifest *manifest);
int su_transition_mend(struct su_engine *engine, const struct su_manifest *manifest,
                       struct su_error *err);

bool su_manifest_lives_in(const struct su_manifest *manifest, enum su_hierarchy hierarchy);
size_t su_manifest_count_applying(const struct su_manifest *manifest);
