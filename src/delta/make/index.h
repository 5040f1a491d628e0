/* The publisher's side of delta/codec/frame_index.h: may the index be left out? */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "delta/codec/frame_index.h"
#include "delta/elf/elf.h"

/* The table's offsets; false: the file has none. */
bool su_index_range(const struct su_elf *elf, uint64_t *ret_start, uint64_t *ret_end);

/* Both files have one, and a decoder would make the new one out of the new records. */
bool su_index_may_be_omitted(const uint8_t *old, uint64_t old_size, const uint8_t *new,
                             uint64_t new_size);

/* A copy of the new file with the old one's table. */
int su_index_replace(const struct su_elf *old, const uint8_t *new, uint64_t new_size, uint8_t **ret,
                     struct su_error *err);
