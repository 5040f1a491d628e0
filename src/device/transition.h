/* The swap of /usr from one generation to another, written ahead: the new generation and that a
 * transition to it begins stand in the store before the first call that changes /usr. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "device/engine.h"
#include "device/layers.h"
#include "improvement/manifest.h"

/* Make a new generation of the components of `to` that apply, and swap to it; its number. At least
 * one must apply. On failure /usr and the state are what they were. */
int su_transition_to(struct su_engine *engine, const struct su_manifest *to,
                     int64_t *ret_generation, struct su_swap_times *ret_times,
                     struct su_error *err);

/* Back to the baseline. `removed` is what the user took off; "" when it was not the user's doing.
 */
int su_transition_to_baseline(struct su_engine *engine, const struct su_level *removed,
                              struct su_swap_times *ret_times, struct su_error *err);

/* Put the layers of generation `number`, which is the active one, on /usr again. */
int su_transition_restore(struct su_engine *engine, const struct su_manifest *manifest,
                          int64_t number, struct su_error *err);

size_t su_manifest_count_applying(const struct su_manifest *manifest);
