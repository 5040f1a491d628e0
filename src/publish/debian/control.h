/* Files of stanzas with fields, as in Packages indexes: deb822(5). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A stanza, within the text that it was found in. */
struct su_control {
        const char *text;
        size_t size;
};

/* The next stanza at or after `*at`, which moves behind it; false at the end. */
bool su_control_next(const char *text, size_t size, size_t *at, struct su_control *ret);

/* The first line of a field's value, without blanks around it; field names have no case. `ret_size`
 * is its length, the text is not terminated; NULL when there is no such field. */
const char *su_control_field(const struct su_control *stanza, const char *name, size_t *ret_size);

/* Whether the field is there with exactly that value. */
bool su_control_is(const struct su_control *stanza, const char *name, const char *value);
