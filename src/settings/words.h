/* What the panel calls things, in the person's language. Facts come from the status document as
 * they are; here are their labels. All results are the caller's (g_free). */
#pragma once

#include "json/json.h"

/* "2026-05-01T10:00:00Z" in local time. */
char *su_words_time(const char *text);
/* "1.0 → 1.1" */
char *su_words_versions(const json_t *component);
/* "high severity"; "" when it is not rated. Not the caller's. */
const char *su_words_severity(const char *name);
/* How a component stands to this system; "" when it applies. Not the caller's. */
const char *su_words_fit(const char *name);
/* "Installed (b)" */
char *su_words_event(const json_t *event);
/* What a job does right now. Not the caller's. */
const char *su_words_step(const char *step);
/* What is done by itself. Not the caller's. */
const char *su_words_automatic(const char *level);
/* "an unmetered network": what an offered improvement waits for. Not the caller's. */
const char *su_words_condition(const char *name);
