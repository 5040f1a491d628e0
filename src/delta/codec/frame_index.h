/* .eh_frame_hdr: a sorted table of what .eh_frame holds. It need not be told: once the records are
 * there, it can be made. Until then the output behind its begin is held back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "delta/elf/elf.h"

#define SU_FRAME_INDEX_HEAD 12                       /* bytes before the table */
#define SU_FRAME_INDEX_REACH_MAX (UINT32_C(6) << 20) /* from its begin to the last record */

/* Where a file's index is, and how far its records were read. */
struct su_frame_index {
        const struct su_elf *shape; /* segments alone are looked at */
        uint64_t at;                /* offset of the section */
        uint64_t address;
        uint32_t n, found;
        uint64_t next; /* offset of the next record; 0: not begun */
};

enum su_frame_index_state {
        SU_FRAME_INDEX_UNFINISHED, /* more bytes are needed */
        SU_FRAME_INDEX_DONE,       /* the table is filled in */
        SU_FRAME_INDEX_BROKEN,     /* this is no index of such records */
};

/* Read on in `data`, the file's bytes [start, end); `start` is not behind the index. The table
 * grows with the records, and is sorted when it is full. */
enum su_frame_index_state su_frame_index_fill(struct su_frame_index *index, uint8_t *data,
                                              uint64_t start, uint64_t end);
