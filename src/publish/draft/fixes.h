/* What a component fixes, as it is gathered: from changelogs, the command line and a file. */
#pragma once

#include "base/error.h"
#include "improvement/manifest.h"

#define SU_FIXES_FILE_MAX (1024 * 1024)

/* What is known of a fix already stays; what is not is filled in. `title` and `severity` may be
 * NULL.
 */
int su_fixes_add(struct su_component *component, const char *id, const char *title,
                 const char *severity, struct su_error *err);
/* Where each fix is written about: `pattern` with the fix's id in the place of "{id}". USAGE when
 * that gives no https URL. */
int su_fixes_link(struct su_component *component, const char *pattern, struct su_error *err);
/* A file with a section for each fix, named by its id: Title=, Severity=, Impact=, Credit=,
 * Advisory=. What it says counts, whatever is known already; a fix that is new is added. `file` is
 * for messages, `text` is changed. CONFIG, naming file and line, when it is malformed. */
int su_fixes_parse(const char *file, char *text, struct su_component *component,
                   struct su_error *err);
