/* Strict JSON (RFC 8259), its canonical form, and typed access to its fields.
 *
 * Strict means: UTF-8, no duplicate names, no trailing bytes, no real numbers, integers within 64
 * bits, nesting at most SU_JSON_DEPTH_MAX deep (checked before the parse). The canonical form is
 * OLPC canonical JSON, as in TUF specification 4.2.1. Values are jansson's.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

#define SU_JSON_DEPTH_MAX 32

static inline void su_json_decref_p(json_t **value)
{
        json_decref(*value);
        *value = NULL;
}
#define su_auto_json su_auto(su_json_decref_p)

int su_json_parse(const char *text, size_t size, json_t **ret, struct su_error *err);

/* The same for what strangers sent: FORMAT, before memory is asked for, when there may be more than
 * `max_values` values in it. Each costs up to some 100 bytes, however few bytes of text it has. */
int su_json_parse_bounded(const char *text, size_t size, size_t max_values, json_t **ret,
                          struct su_error *err);

/* Canonical bytes, to be hashed and signed; `ret_text` has one more byte, a NUL. FORMAT when
 * `value` holds a real number. */
int su_json_canonical(const json_t *value, char **ret_text, size_t *ret_size, struct su_error *err);

/* For files: the canonical bytes, but with control characters in strings escaped, without which
 * they would be no JSON. `ret_text` has one more byte, a NUL. */
int su_json_compact(const json_t *value, char **ret_text, size_t *ret_size, struct su_error *err);

/* Indented, with a newline at the end: for files that people also read. */
int su_json_pretty(const json_t *value, char **ret_text, size_t *ret_size, struct su_error *err);

/* Typed fields of an object: FORMAT, naming the field, when it is missing or of another type. The
 * values belong to the object. `find` variants yield NULL for a missing or null field instead. */
int su_json_get_object(const json_t *object, const char *name, json_t **ret, struct su_error *err);
int su_json_get_array(const json_t *object, const char *name, json_t **ret, struct su_error *err);
int su_json_get_string(const json_t *object, const char *name, const char **ret,
                       struct su_error *err);
int su_json_find_object(const json_t *object, const char *name, json_t **ret, struct su_error *err);
int su_json_find_string(const json_t *object, const char *name, const char **ret,
                        struct su_error *err);
/* An integer from `min` to `max`, both included. */
int su_json_get_integer(const json_t *object, const char *name, int64_t min, int64_t max,
                        int64_t *ret, struct su_error *err);
/* Exactly `size` bytes in lower-case hexadecimal. */
int su_json_get_hex(const json_t *object, const char *name, void *ret, size_t size,
                    struct su_error *err);

/* Check the head that every Suture document has: "type" and "version". */
int su_json_expect_type(const json_t *object, const char *type, int64_t version,
                        struct su_error *err);

/* Put a new reference into an object, and take it over; the failure of jansson to allocate is
 * remembered by the NULL that it returned, so that a document is built first and checked once. */
int su_json_set_hex(json_t *object, const char *name, const void *data, size_t size);
