/* Small things about text: formatting into fresh memory, hexadecimal, paths and names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Format into a new string that the caller frees. */
int su_format(char **ret, struct su_error *err, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

int su_strdup(const char *text, char **ret, struct su_error *err);

/* `ret` takes 2 * size + 1 bytes, lower case, terminated. */
void su_hex_encode(const void *data, size_t size, char *ret);

/* Exactly `size` bytes from exactly 2 * size lower-case digits; false otherwise. */
bool su_hex_decode(const char *text, void *ret, size_t size);

/* Percent-encode (RFC 3986) all but letters, digits, "-._~" and what is in `safe`. */
int su_percent_encode(const char *text, const char *safe, char **ret, struct su_error *err);

bool su_starts_with(const char *text, const char *prefix);
bool su_ends_with(const char *text, const char *suffix);
/* What follows the last line break but those at the end, which are cut off. */
const char *su_last_line(char *text);

/* An absolute path without empty, "." or ".." parts and without a trailing slash; at most 4095
 * bytes and without control characters. "/" alone is not one. */
bool su_path_is_normal(const char *path);

/* A name that is safe as one path component and in a URL: [A-Za-z0-9] first, then also [._+~-],
 * at most 128 bytes. */
bool su_name_is_safe(const char *name);

#define SU_LANGUAGE_SIZE 17
/* "de", "pt_BR", "sr@latin": what is safe in LANGUAGE, and in the name of a locale. */
bool su_language_is_valid(const char *text);
