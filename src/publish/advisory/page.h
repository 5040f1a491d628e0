/* The pages for people: one of each baseline, one of all. They need nothing but their style sheet:
 * a server may forbid the rest (Content-Security-Policy: default-src 'none'; style-src 'self'). */
#pragma once

#include "publish/advisory/subject.h"

/* "About the security content of ..." */
int su_advisory_page(const struct su_advised *subject, char **ret_text, size_t *ret_size,
                     struct su_error *err);
int su_advisory_index(const struct su_advisory_config *config, const struct su_advised *subjects,
                      size_t n_subjects, char **ret_text, size_t *ret_size, struct su_error *err);

extern const char su_advisory_style[];
