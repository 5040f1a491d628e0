/* Where a device goes when it has to leave the level on /usr. */
#pragma once

#include "base/error.h"
#include "device/engine.h"
#include "improvement/manifest.h"

/* The newest level below `level` that was neither recalled nor failed here, and all of whose images
 * are in the store; their fits are those of now. baseline NULL: none is, only the baseline is left.
 */
int su_fallback_find(struct su_engine *engine, const struct su_level *level,
                     struct su_manifest *ret, struct su_error *err);
