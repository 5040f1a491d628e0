/* What happens on a device, as it is told: to the history, which keeps it (history.h), and to
 * whoever listens, for whom there is no other source. docs/FORMATS.md, "On-disk state". */
#pragma once

#include "base/error.h"
#include "device/engine.h"
#include "json/json.h"

/* An event that begins with when, what, and how it ended. NULL: memory ran out. */
json_t *su_event_make(const char *name, const struct su_error *failure);
/* The same with the fields of `more`. Both are taken over, and either may be NULL: then all is. */
json_t *su_event_with(json_t *event, json_t *more);

/* Keep it and tell it, also when it cannot be kept. Takes over `event`; NULL means that memory ran
 * out. */
int su_event_record(const struct su_engine *engine, json_t *event, struct su_error *err);
/* Only tell it: it changed nothing. */
void su_event_tell(const struct su_engine *engine, json_t *event);
