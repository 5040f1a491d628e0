/* What happens on the system that runs is told to the journal, with a message id for each kind
 * (messages.h), so that administrators can select, and be alarmed by it. */
#pragma once

#include "device/engine.h"

/* For su_engine_options. That the journal cannot be reached is no failure of anything. */
void su_journal_tell(const struct su_engine *engine, const json_t *event);
