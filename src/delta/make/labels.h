/* The texts that are matched in place of two modules' bytes: each reference is replaced by a label,
 * the same on both sides when it refers to the same thing. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "delta/codec/projection.h"
#include "delta/elf/module.h"

/* References in [index_start, index_end) are left alone: the table of .eh_frame_hdr, when it is not
 * told. */
struct su_labelled {
        const struct su_module *module;
        uint64_t index_start, index_end;
};

/* `text` and `marks` are of the module's size; `text` has eight bytes more.
 * marks: per byte 0 none, 1 a reference's first byte, 2 another; numbers are none. */
int su_labels_mark(const struct su_labelled *what, uint8_t *marks, struct su_error *err);

/* Labels that say nothing but the kind. */
int su_labels_blank(const struct su_labelled *what, uint8_t *text, struct su_error *err);

/* Labels of the target: its position, through `projection` when that is not NULL. */
int su_labels_targets(const struct su_labelled *what, struct su_projection *projection,
                      uint8_t *text, struct su_error *err);

/* What the insertion of each byte costs, in 1/16 bit. */
int su_labels_costs(const struct su_module *module, uint8_t *costs, struct su_error *err);
