#include <stdlib.h>
#include <string.h>

#include "fuzz-delta.h"

#define TEXT                                                                                       \
        "The quick brown fox jumps over the lazy dog, again and again and again.\n"                \
        "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz\n"

static void add(struct fuzz_delta_sources *to, const void *data, size_t size)
{
        struct su_space *space = &to->space;

        space->offsets[space->n] = space->size;
        space->sizes[space->n++] = size;
        memcpy(space->data + space->size, data, size);
        space->size += (size + SU_DELTA_SPACE_ALIGNMENT - 1) / SU_DELTA_SPACE_ALIGNMENT *
                       SU_DELTA_SPACE_ALIGNMENT;
}

static void add_module(struct fuzz_delta_sources *to, uint16_t machine)
{
        struct sample_elf sample = {.machine = machine, .functions = 8};

        sample_elf_make(&sample);
        add(to, sample.data, sample.size);
        free(sample.data);
}

void fuzz_delta_sources_make(unsigned set, struct fuzz_delta_sources *ret)
{
        *ret = (struct fuzz_delta_sources){0};
        ret->space.data = calloc(4, SU_DELTA_SPACE_ALIGNMENT);
        fuzz_check(ret->space.data);
        ret->space.offsets = ret->offsets;
        ret->space.sizes = ret->sizes;
        if (set == 1 || set == 4)
                add(ret, TEXT, strlen(TEXT));
        if (set == 2 || set == 4)
                add_module(ret, EM_X86_64);
        if (set == 3 || set == 4)
                add_module(ret, EM_AARCH64);
}
