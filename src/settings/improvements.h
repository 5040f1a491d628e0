/* What an improvement fixes: a row for each component, which opens to its fixes. */
#pragma once

#include "settings/section.h"

/* `components` as in the status document; `status` for the rest. */
void su_improvements_show_installed(struct su_section *section, const json_t *status);
void su_improvements_show_offered(struct su_section *section, const json_t *status);
