/* The restart plan: what an installation would restart, or what still runs old code, each with the
 * agent's advice and reason. */
#pragma once

#include "settings/section.h"

void su_plan_show(struct su_section *section, const json_t *status);
/* What runs in other trees, like containers: whoever made them updates them. */
void su_plan_show_elsewhere(struct su_section *section, const json_t *status);
/* The plan as text, a line each; NULL: it has nothing. The caller's (g_free). */
char *su_plan_list(const json_t *status);
