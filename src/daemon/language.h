/* In which language a run of `suture` speaks to people. */
#pragma once

#include "base/error.h"

/* This program's own environment, but for that: `language` as su_language_is_valid() wants it, ""
 * for English. Freed by su_environment_done(). */
int su_environment_make(const char *language, char ***ret, struct su_error *err);
void su_environment_done(char **environment);
