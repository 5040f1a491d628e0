/* What a publisher answers for: findings that are right all the same, each with its reason. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "improvement/manifest.h"
#include "publish/checks/findings.h"

/* Each text is CHECK:PATTERN:REASON; the pattern is one of glob(7) for the paths, in which '*'
 * matches slashes, too. What is overridden gets its reason. USAGE when a text is malformed, names
 * no check, or nothing that was found: then it says something that is not so. */
int su_overrides_apply(const char *const *texts, size_t n, struct su_findings *findings,
                       struct su_error *err);

/* The overridden ones, as the manifest tells them. */
int su_overrides_record(const struct su_findings *findings, struct su_component *component,
                        struct su_error *err);
