/* Small ELF files as a linker makes them: with code, relocations, symbols, call frame information
 * and tables of addresses that refer to each other, and versions that differ as updates do. */
#pragma once

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLE_FUNCTIONS_MAX 1100

enum sample_section {
        SAMPLE_NONE,
        SAMPLE_DYNSYM,
        SAMPLE_DYNSTR,
        SAMPLE_HASH,
        SAMPLE_RELA,
        SAMPLE_RELA_PLT,
        SAMPLE_RELR,
        SAMPLE_RODATA, /* a jump table of four entries, then strings */
        SAMPLE_FRAME_INDEX,
        SAMPLE_FRAMES,
        SAMPLE_PLT,
        SAMPLE_TEXT,
        SAMPLE_INIT,
        SAMPLE_DYNAMIC,
        SAMPLE_GOT,
        SAMPLE_DATA,
        SAMPLE_BSS,
        SAMPLE_NAMES,
        SAMPLE_SECTIONS
};

struct sample_elf {
        uint16_t machine;
        unsigned functions; /* 4 or more */
        unsigned version;   /* of the program: code is inserted, grows, has other line numbers */
        bool fixed;         /* ET_EXEC */
        bool bare;          /* no section headers */

        uint8_t *data;
        size_t size;
        uint64_t offsets[SAMPLE_SECTIONS], sizes[SAMPLE_SECTIONS], addresses[SAMPLE_SECTIONS];
        uint64_t starts[SAMPLE_FUNCTIONS_MAX + 1]; /* of functions, within .text */
        unsigned ids[SAMPLE_FUNCTIONS_MAX + 1];
        size_t n; /* functions that there are in this version */
};

/* The first five members say which one. The caller frees `data`. */
void sample_elf_make(struct sample_elf *sample);
uint64_t sample_elf_function(const struct sample_elf *sample, size_t i);
