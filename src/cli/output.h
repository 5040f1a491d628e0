/* How the program speaks: one line of JSON, or text for people. */
#pragma once

#include <stdbool.h>

#include "cli/verbs.h"
#include "device/change.h"
#include "device/engine.h"
#include "device/restore.h"
#include "device/review.h"
#include "json/json.h"

/* Print and take over `document`; NULL means that memory ran out while it was built. */
int su_output_json(json_t *document, struct su_error *err);
/* The result of a verb for --json, and for the program that runs this one; takes it over. */
int su_output_result(const struct su_arguments *arguments, json_t *document, struct su_error *err);
/* {"error": {"name", "message", "exit_status"}} */
json_t *su_output_error(const struct su_error *error);

json_t *su_output_level(const struct su_level *level); /* null for the baseline */
json_t *su_output_exposure(const struct su_exposure *exposure);
json_t *su_output_stale(const struct su_stale *stale);
json_t *su_output_plan(const struct su_plan *plan);
/* "is fixed by ...": the end of a sentence about a component. */
const char *su_output_fit(enum su_fit fit);
json_t *su_output_components(const struct su_manifest *manifest);

/* `message` as su_offer_get() made it for `version`, in the language that is spoken; others, like
 * those of failures, as they are. */
int su_output_message(const char *message, const char *version, char **ret, struct su_error *err);

/* By which delta each image was, or would be, made, and why not by a smaller one. */
json_t *su_output_choices(const struct su_change *change);
/* The same for people, where a smaller one was passed over. */
void su_print_choices(const struct su_change *change, const char *indent);

/* When the restarts that were put off may be done: a time, or null. */
json_t *su_output_opens(const struct su_refresh *refresh);
/* What the restarts left, for people. */
void su_print_refresh(const struct su_refresh *refresh);
void su_print_plan(const struct su_plan *plan, const char *indent);
/* What each component of the manifest fixes. */
void su_print_fixes(const struct su_manifest *manifest, const char *indent);
/* What was put back on /usr, for people. */
void su_print_restoration(const struct su_restoration *restoration);
