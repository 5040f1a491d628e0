/* What happened here: the newest events of the status document. */
#pragma once

#include "settings/section.h"

void su_history_show(struct su_section *section, const json_t *status);
