/* Operations, and where they take an old position.
 *
 * A new module is a row of copies from the old one, with inserted bytes between them. Because that
 * row is known before any byte is, it tells where each place of the old module is now.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

#define SU_OPERATIONS_MAX (UINT32_C(1) << 18)

/* Copy `length` bytes from `from` to `to`; what lies between two copies is inserted. */
struct su_operation {
        uint32_t to, from, length;
};

/* Old positions [start, end) are now `shift` further. */
struct su_span {
        uint32_t start, end;
        int64_t shift;
};

struct su_projection {
        struct su_span *spans; /* by start, none overlapping */
        size_t n;
        size_t last; /* the span that the last question hit: most hit it again */
};

/* Of copies that overlap in the old module the longest says where it is now; of equally long ones
 * the first. */
int su_projection_make(const struct su_operation *operations, size_t n, struct su_projection *ret,
                       struct su_error *err);
void su_projection_done(struct su_projection *projection);
#define su_auto_projection su_auto(su_projection_done)

/* A position that no copy covers moves as the nearest one that is covered; then *ret_span is that
 * one, and *ret_covered false. Without spans nothing moves. */
uint64_t su_project(struct su_projection *projection, uint64_t position, bool *ret_covered,
                    const struct su_span **ret_span);
