/* Where in an old text the longest match of a new one lies: a suffix array (libdivsufsort). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

struct su_suffixes {
        const uint8_t *text; /* borrowed; eight readable bytes lie behind it */
        size_t size;
        int32_t *order;
        uint32_t *buckets; /* by the first two bytes, where in `order` they begin */
};

int su_suffixes_make(const uint8_t *text, size_t size, struct su_suffixes *ret,
                     struct su_error *err);
void su_suffixes_done(struct su_suffixes *suffixes);
#define su_auto_suffixes su_auto(su_suffixes_done)

/* The length of the longest match of `pattern` (eight readable bytes lie behind it, too); of
 * equally long ones, the one nearest to `wanted`. Comparisons are capped: self-similar texts do not
 * hurt. */
size_t su_suffixes_find(const struct su_suffixes *suffixes, const uint8_t *pattern, size_t size,
                        int64_t wanted, size_t *ret_position);
/* How far two texts agree, up to a cap. */
size_t su_common_length(const uint8_t *a, const uint8_t *b, size_t size);
