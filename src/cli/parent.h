/* What the program that runs this one is told, as sutured does: a line of JSON each, on a
 * descriptor that it passes in with --parent-fd.
 *
 *     {"progress": {"step": ..., "done": ..., "total": ...}}   any number of these
 *     {"result": ...} or {"error": ...}                        what --json would print, at the end
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "json/json.h"

/* Take over descriptor `text`. USAGE when it is none. */
int su_parent_open(const char *text, FILE **ret, struct su_error *err);
/* Without a parent (NULL) these do nothing. A parent that is gone is no reason to stop. */
void su_parent_tell_progress(FILE *parent, const char *step, uint64_t done, uint64_t total);
void su_parent_tell_error(FILE *parent, const struct su_error *error);
/* `result` stays the caller's. */
int su_parent_tell_result(FILE *parent, json_t *result, struct su_error *err);
