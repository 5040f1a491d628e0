/* A level as a document of the OSV schema, 1.7: for scanners. */
#pragma once

#include "publish/advisory/subject.h"

/* `ret_text` is what is to be published. */
int su_advisory_osv(const struct su_advised *subject, const struct su_advised_level *level,
                    char **ret_text, size_t *ret_size, struct su_error *err);
