/* What the documents are called, where they lie, and how they say things. */
#pragma once

#include "publish/advisory/subject.h"

#define SU_ADVISORIES "advisories" /* in public/ */

/* "SUTURE-debian-12-x86-64-a": the id of a level's documents. */
int su_advisory_id(const struct su_advised *subject, const struct su_advised_level *level,
                   char **ret, struct su_error *err);
/* Their names in the directory of the baseline. */
int su_advisory_osv_file(const struct su_advised *subject, const struct su_advised_level *level,
                         char **ret, struct su_error *err);
int su_advisory_csaf_file(const struct su_advised *subject, const struct su_advised_level *level,
                          char **ret, struct su_error *err);
/* The URL of a file in the directory of the baseline. */
int su_advisory_url(const struct su_advised *subject, const char *file, char **ret,
                    struct su_error *err);
/* Of the section of the page that is about the level. */
int su_advisory_section_url(const struct su_advised *subject, const struct su_advised_level *level,
                            char **ret, struct su_error *err);
/* Where a fix is written about: what its publisher said, else of a CVE the public record of it,
 * else nowhere (NULL). */
int su_advisory_fix_url(const struct su_fix *fix, char **ret, struct su_error *err);
bool su_advisory_is_cve(const char *id);

/* "12 (a)" */
int su_advisory_version(const struct su_advised *subject, const struct su_level *level, char **ret,
                        struct su_error *err);
/* "Debian GNU/Linux 12 (bookworm), level (a): openssl, curl" */
int su_advisory_title(const struct su_advised *subject, const struct su_advised_level *level,
                      char **ret, struct su_error *err);
/* urn:uuid:..., of version 8 (RFC 9562), from SHA-256 of what names it: the same for ever. */
int su_advisory_urn(const char *name, char **ret, struct su_error *err);
