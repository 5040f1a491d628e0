/* Standard Base 64 (RFC 4648 section 4) in its one canonical form: padded, no line breaks, and the
 * bits that the padding leaves over are zero. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The characters that `size` bytes become, without a NUL. */
#define SU_BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/* `ret` takes SU_BASE64_SIZE(size) + 1 characters, terminated. */
void su_base64_encode(const void *data, size_t size, char *ret);

/* `length` characters, which need not be terminated, into at most `max` bytes. False, with `ret`
 * and `ret_size` in an unknown state, when they are not canonical or are more. */
bool su_base64_decode(const char *text, size_t length, void *ret, size_t max, size_t *ret_size);
