/* Find the operations that make one text of another at the least cost, as the codec would count it.
 *
 * Candidates - shifts at which a stretch of the new text agrees with the old one well enough - come
 * from a suffix array; then the cheapest way through them is found by dynamic programming over the
 * new text, with a bounded number of shifts at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "delta/codec/projection.h"
#include "delta/make/suffixes.h"

struct su_texts {
        const uint8_t *old, *new; /* eight readable bytes lie behind each */
        size_t old_size, new_size;
        const uint8_t *old_references; /* per byte: 0 none, 1 a reference's first byte, 2 another;
                                          or NULL */
        const uint8_t *new_costs;      /* per byte, of its insertion, in 1/16 bit; or NULL */
};

struct su_operations {
        struct su_operation *items;
        size_t n, capacity;
};

void su_operations_done(struct su_operations *operations);
#define su_auto_operations su_auto(su_operations_done)
int su_operations_add(struct su_operations *operations, struct su_operation operation,
                      struct su_error *err);

/* `min_length` of a match to be a candidate. Appends to *ret, which is empty. */
int su_match(const struct su_texts *texts, const struct su_suffixes *suffixes, size_t min_length,
             struct su_operations *ret, struct su_error *err);
