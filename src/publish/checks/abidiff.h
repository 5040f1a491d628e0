/* Debian's abidiff (libabigail) compares the types of what a library exports, where debug
 * information of both builds is there: in the files, or below /usr/lib/debug of the two trees. */
#pragma once

#include "publish/checks/checks.h"
#include "publish/checks/dynamic.h"

/* Finds nothing where there is none. The paths are those of the two builds in their trees. */
int su_abidiff(const struct su_check_subject *subject, const char *path_before,
               const char *path_after, const struct su_dynamic *before,
               const struct su_dynamic *after, struct su_findings *findings, struct su_error *err);
