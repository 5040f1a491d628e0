/* What is not wrong yet, but will be, or would do harm if a machine were lost. */
#pragma once

#include "publish/signing/publisher.h"

/* Append to `warnings`, an array of strings. `found` is what su_examine() found. */
int su_warn_of_expiry(const json_t *found, json_t *warnings, struct su_error *err);
int su_warn_of_keys(const struct su_publisher *publisher, json_t *warnings, struct su_error *err);
