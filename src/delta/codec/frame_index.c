#include "delta/codec/frame_index.h"

#include <stdlib.h>

#include "delta/elf/bytes.h"

#define ENTRY_SIZE 8
#define ENCODINGS UINT32_C(0x3b031b01) /* version 1; pcrel, udata4, datarel sdata4 */

/* Signed by the place in the code, then by the record's. */
static int compare_entries(const void *a, const void *b)
{
        for (unsigned i = 0; i < 2; i++) {
                int32_t x = (int32_t)su_get32((const uint8_t *)a + 4 * i);
                int32_t y = (int32_t)su_get32((const uint8_t *)b + 4 * i);

                if (x != y)
                        return x < y ? -1 : 1;
        }
        return 0;
}

static bool begin(struct su_frame_index *index, const uint8_t *head)
{
        uint64_t frames;

        if (su_get32(head) != ENCODINGS ||
            !su_elf_address(index->shape, index->at, &index->address))
                return false;
        frames = index->address + 4 + su_get32_signed(head + 4);
        index->n = su_get32(head + 8);
        return su_elf_position(index->shape, frames, &index->next) &&
               index->next >= index->at + SU_FRAME_INDEX_HEAD + ENTRY_SIZE * (uint64_t)index->n &&
               index->next - index->at <= SU_FRAME_INDEX_REACH_MAX;
}

static bool add_entry(struct su_frame_index *index, uint8_t *table, const uint8_t *record)
{
        uint64_t address;

        if (index->found == index->n || !su_elf_address(index->shape, index->next, &address))
                return false;
        table += ENTRY_SIZE * (uint64_t)index->found++;
        su_put32(table, (uint32_t)(address + 8 + su_get32_signed(record + 8) - index->address));
        su_put32(table + 4, (uint32_t)(address - index->address));
        return true;
}

enum su_frame_index_state su_frame_index_fill(struct su_frame_index *index, uint8_t *data,
                                              uint64_t start, uint64_t end)
{
        uint8_t *head = data + (index->at - start);

        if (index->next == 0) {
                if (end < index->at + SU_FRAME_INDEX_HEAD)
                        return SU_FRAME_INDEX_UNFINISHED;
                if (!begin(index, head))
                        return SU_FRAME_INDEX_BROKEN;
        }
        while (index->found < index->n) {
                const uint8_t *record = data + (index->next - start);
                uint32_t length;

                if (index->next + 12 > end)
                        return SU_FRAME_INDEX_UNFINISHED;
                length = su_get32(record);
                if (length < 8 || length > SU_FRAME_INDEX_REACH_MAX)
                        return SU_FRAME_INDEX_BROKEN;
                if (su_get32(record + 4) != 0 &&
                    !add_entry(index, head + SU_FRAME_INDEX_HEAD, record))
                        return SU_FRAME_INDEX_BROKEN;
                index->next += 4 + (uint64_t)length;
        }
        qsort(head + SU_FRAME_INDEX_HEAD, index->n, ENTRY_SIZE, compare_entries);
        return SU_FRAME_INDEX_DONE;
}
