/* Text in lines, as notes, checkpoints, proofs and policies are made of: a bounded cursor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that stands within other text; not terminated. */
struct su_slice {
        const char *text;
        size_t size;
};

struct su_lines {
        const char *text;
        size_t left;
};

/* The next line without its newline. False at the end, and when the last line has no newline: then
 * `lines->left` is not zero. */
bool su_lines_next(struct su_lines *lines, struct su_slice *ret);

bool su_slice_is(struct su_slice span, const char *text);
/* Takes `prefix` off the front. */
bool su_slice_skip(struct su_slice *span, const char *prefix);
/* Decimal digits without a sign and without leading zeros, at most `max`. */
bool su_slice_decimal(struct su_slice span, uint64_t max, uint64_t *ret);
/* Base 64 of exactly `size` bytes. */
bool su_slice_base64(struct su_slice span, void *ret, size_t size);

/* Valid UTF-8 (RFC 3629) without characters below U+0020 but newline: what a signed note consists
 * of. */
bool su_text_is_note(const char *text, size_t size);
/* A key name in such a note: not empty, neither Unicode spaces, nor '+', nor newlines. */
bool su_text_is_key_name(const char *text, size_t size);
