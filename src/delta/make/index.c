#include "delta/make/index.h"

#include <stdlib.h>
#include <string.h>

bool su_index_range(const struct su_elf *elf, uint64_t *ret_start, uint64_t *ret_end)
{
        for (size_t i = 0; i < elf->n_sections; i++) {
                const struct su_elf_section *section = &elf->sections[i];

                if (section->role != SU_ELF_EH_FRAME_HDR || section->size < SU_FRAME_INDEX_HEAD)
                        continue;
                *ret_start = section->offset + SU_FRAME_INDEX_HEAD;
                *ret_end = section->offset + section->size;
                return true;
        }
        return false;
}

/* Make the table as a decoder would, and compare. */
static bool is_made_right(const struct su_elf *new, uint64_t start, uint64_t end)
{
        struct su_frame_index index = {.shape = new, .at = start - SU_FRAME_INDEX_HEAD};
        uint64_t until = index.at + SU_FRAME_INDEX_REACH_MAX + 65536;
        su_auto_free uint8_t *copy = NULL;

        if (until > new->size)
                until = new->size;
        copy = malloc(until - index.at + 8);
        if (!copy)
                return false;
        memcpy(copy, new->data + index.at, until - index.at);
        memset(copy + SU_FRAME_INDEX_HEAD, 0, end - start);
        return su_frame_index_fill(&index, copy, index.at, until) == SU_FRAME_INDEX_DONE &&
               memcmp(copy, new->data + index.at, until - index.at) == 0;
}

bool su_index_may_be_omitted(const uint8_t *old, uint64_t old_size, const uint8_t *new,
                             uint64_t new_size)
{
        su_auto_elf struct su_elf old_elf = {0}, new_elf = {0};
        uint64_t start, end;

        return su_elf_parse(old, old_size, &old_elf) && su_elf_parse(new, new_size, &new_elf) &&
               su_index_range(&old_elf, &start, &end) && su_index_range(&new_elf, &start, &end) &&
               end - start <= SU_FRAME_INDEX_REACH_MAX && is_made_right(&new_elf, start, end);
}

int su_index_replace(const struct su_elf *old, const uint8_t *new, uint64_t new_size, uint8_t **ret,
                     struct su_error *err)
{
        su_auto_elf struct su_elf new_elf = {0};
        uint64_t old_start, old_end, start, end, size;

        if (!su_elf_parse(new, new_size, &new_elf) || !su_index_range(old, &old_start, &old_end) ||
            !su_index_range(&new_elf, &start, &end))
                return su_fail_oom(err);
        *ret = malloc(new_size + 8);
        if (!*ret)
                return su_fail_oom(err);
        memcpy(*ret, new, new_size);
        memset(*ret + new_size, 0, 8);
        memset(*ret + start, 0, end - start);
        size = old_end - old_start < end - start ? old_end - old_start : end - start;
        memcpy(*ret + start, old->data + old_start, size);
        return 0;
}
