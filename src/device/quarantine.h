/* A level failed on this device: it stands in the state before anything is done about it. */
#pragma once

#include "base/error.h"
#include "device/engine.h"

/* `unit`: that the reason is about; may be NULL. */
int su_quarantine_add(struct su_engine *engine, const struct su_level *level, const char *reason,
                      const char *unit, struct su_error *err);
