/* A level as a CSAF 2.0 document of the profile VEX: which products the vulnerabilities affect. */
#pragma once

#include "publish/advisory/subject.h"

/* Such a document is about vulnerabilities: there is none of a level that names no fix. */
bool su_advisory_has_csaf(const struct su_advised_level *level);
int su_advisory_csaf(const struct su_advised *subject, const struct su_advised_level *level,
                     char **ret_text, size_t *ret_size, struct su_error *err);
