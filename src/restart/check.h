/* Run a health check (improvement/health.h) as a unit of its own: with a fresh environment, whoever
 * asks, and whatever that one may not do. */
#pragma once

#include "base/error.h"

/* An error, with the last line that it wrote to standard error, when it fails or takes too long. */
int su_check_run(const char *command, struct su_error *err);
