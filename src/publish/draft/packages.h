/* Fixed files from Debian packages: dpkg's own programs unpack them and read their changelogs. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "improvement/manifest.h"

/* Unpack `packages` (paths of .deb files) into the directory `into`. */
int su_packages_unpack(char *const *packages, size_t n_packages, const char *into,
                       struct su_error *err);

/* Fill in the component's versions and fixes: the version that the baseline `tree` has of the
 * packages, the version of the packages, and the CVEs that their changelogs name in between. A
 * package that is not newer than the baseline's is refused (CONFLICT). `unpacked` is what
 * su_packages_unpack() made; `scratch` a directory to write to. */
int su_packages_describe(char *const *packages, size_t n_packages, const char *tree,
                         const char *unpacked, const char *scratch, struct su_component *component,
                         struct su_error *err);

/* The CVE ids in a text, with the titles that follow some in parentheses, added to the component's
 * fixes unless they are there already. */
int su_fixes_from_text(const char *text, struct su_component *component, struct su_error *err);
