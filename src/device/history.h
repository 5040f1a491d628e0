/* What was changed on this device, and how it went: one JSON object a line, appended and synced.
 * docs/FORMATS.md, "On-disk state". */
#pragma once

#include "base/error.h"
#include "json/json.h"

/* Takes over `event`; NULL means that memory ran out. */
int su_history_append(int state_fd, json_t *event, struct su_error *err);
/* All events, oldest first. A last line that a power cut tore is left out. */
int su_history_read(int state_fd, json_t **ret_array, struct su_error *err);
