/* What `suture status --json` says, as the manager's properties. */
#pragma once

#include <stddef.h>
#include <systemd/sd-bus.h>

#include "json/json.h"

#define SU_STATUS_PROPERTIES_MAX 16

/* The value of `property` as `document` has it; an empty one when there is no document (NULL). */
int su_status_append(const json_t *document, const char *property, sd_bus_message *reply);

/* The names of the properties in which the documents differ, NULL at the end. */
void su_status_compare(const json_t *before, const json_t *after,
                       const char *ret[SU_STATUS_PROPERTIES_MAX + 1]);
