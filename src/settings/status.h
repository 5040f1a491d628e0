/* Questions that the parts of the panel have for the status document (docs/schema/status.json). A
 * field that is not there is "", false or NULL: an older or newer agent is no reason to fail. */
#pragma once

#include <stdbool.h>

#include "json/json.h"

const char *su_status_text(const json_t *object, const char *name);
bool su_status_truth(const json_t *object, const char *name);
const json_t *su_status_part(const json_t *object, const char *name);
/* Whether its text is this one. */
bool su_status_is(const json_t *object, const char *name, const char *text);

/* A newer level is offered. */
bool su_status_has_offer(const json_t *status);
/* What was installed still waits for restarts that the agent does itself. */
bool su_status_awaits_restarts(const json_t *status);
/* The plan has something that the agent would restart. */
bool su_status_restarts_something(const json_t *status);
/* An action of the plan about what runs in another tree: no improvement reaches it. */
bool su_status_is_elsewhere(const json_t *action);
/* The level on /usr was recalled, and the agent has something to put in its place. */
bool su_status_leaves_recalled(const json_t *status);
