/* The sources of fuzz-delta.c, for it and for who makes its seeds. */
#pragma once

#include "delta/apply/decode.h"
#include "fuzz.h"
#include "sample-elf.h"

#define FUZZ_DELTA_SETS 5
#define FUZZ_DELTA_HEAD 3
/* The target's size in two bytes: small but for a few inputs, because large ones take long. */
#define FUZZ_DELTA_SMALL 8192
#define FUZZ_DELTA_LARGE 33000 /* enough for packed bytes */
#define FUZZ_DELTA_TARGET_MAX (FUZZ_DELTA_LARGE + 4096)

static inline uint64_t fuzz_delta_size(unsigned head)
{
        return head >= 0xf000 ? FUZZ_DELTA_LARGE + (head & 0xfff) : head % FUZZ_DELTA_SMALL;
}
static inline unsigned fuzz_delta_head(uint64_t size)
{
        return (unsigned)(size < FUZZ_DELTA_LARGE ? size : 0xf000 + size - FUZZ_DELTA_LARGE);
}

struct fuzz_delta_sources {
        struct su_space space;
        uint64_t offsets[3], sizes[3];
};

/* 0: none; 1: text; 2: an x86-64 module; 3: an AArch64 module; 4: all three. Kept for ever. */
void fuzz_delta_sources_make(unsigned set, struct fuzz_delta_sources *ret);
