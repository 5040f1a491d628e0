/* The shape of an ELF module: what its headers say about where things lie.
 *
 * A module is one file in memory. A *position* names a place in it: below `size` an offset in the
 * file, from `size` on a byte of its zero-filled memory (.bss), which exists at run time only.
 * Addresses are virtual addresses of the file's own numbering. 64-bit little-endian files of x86-64
 * and AArch64, with or without section headers, are understood; the rest is no module.
 *
 * All numbers in the file are hostile: whatever does not fit the file is left out. Both sides of a
 * delta run this code on the same bytes and must agree on every bit of the result; a change of it
 * is a change of the format. Source: System V ABI, chapters 4 and 5; elf.h.
 */
#pragma once

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

#define SU_ELF_SEGMENTS_MAX 32
#define SU_ELF_SECTIONS_MAX 1024
#define SU_ELF_MODULE_MAX (UINT64_C(1) << 31)

/* PT_LOAD */
struct su_elf_segment {
        uint64_t offset, file_size;
        uint64_t address, memory_size;
        bool executable;
};

/* What a section holds, as far as a delta cares. */
enum su_elf_role {
        SU_ELF_OTHER,
        SU_ELF_CODE,
        SU_ELF_PLT,          /* code, with pushes of relocation indexes */
        SU_ELF_RELA,         /* Elf64_Rela */
        SU_ELF_RELR,         /* compact relative relocations */
        SU_ELF_DYNAMIC,      /* Elf64_Dyn */
        SU_ELF_SYMBOLS,      /* Elf64_Sym */
        SU_ELF_HASH,         /* DT_GNU_HASH */
        SU_ELF_POINTERS,     /* words that are addresses: .got, .init_array */
        SU_ELF_EH_FRAME,     /* call frame information */
        SU_ELF_EH_FRAME_HDR, /* its sorted index */
        SU_ELF_DATA,         /* constants, with jump tables among them; words of fixed addresses */
        SU_ELF_RELATIVE,     /* the kernel's tables of 32-bit distances */
};

struct su_elf_section {
        enum su_elf_role role;
        uint32_t header; /* its index among the section headers */
        uint32_t type;
        uint32_t link;
        uint64_t flags;
        uint64_t address;
        uint64_t offset, size; /* within the file; size 0 for what has no bytes there */
};

struct su_elf_range {
        uint64_t address, size;
};

struct su_elf {
        const uint8_t *data; /* borrowed */
        uint64_t size;
        uint64_t zero_size; /* bytes of zero-filled memory: positions go to size + zero_size */
        uint16_t machine;   /* EM_X86_64 or EM_AARCH64 */
        bool fixed;         /* ET_EXEC: addresses stand in code and data as they are */
        struct su_elf_segment segments[SU_ELF_SEGMENTS_MAX];
        size_t n_segments;
        struct su_elf_section *sections; /* in the order of their offsets, none overlapping */
        size_t n_sections;
        struct su_elf_range code[SU_ELF_SEGMENTS_MAX];
        size_t n_code;
        const struct su_elf_section *dynsym, *dynstr, *rela_plt; /* or NULL */
};

/* False when the bytes are no such module, or memory is short (errno ENOMEM). */
bool su_elf_parse(const uint8_t *data, uint64_t size, struct su_elf *ret);
void su_elf_done(struct su_elf *elf);
#define su_auto_elf su_auto(su_elf_done)

/* How many bytes from `data` on are one ELF file, by its headers; 0: none begins here. */
uint64_t su_elf_extent(const uint8_t *data, uint64_t available);

/* The only file-backed or zero-filled place that is mapped at `address`; false: none. */
bool su_elf_position(const struct su_elf *elf, uint64_t address, uint64_t *ret);
bool su_elf_address(const struct su_elf *elf, uint64_t position, uint64_t *ret);
bool su_elf_is_code(const struct su_elf *elf, uint64_t address);

/* The first section that ends behind `offset`, or n_sections. */
size_t su_elf_section_at(const struct su_elf *elf, uint64_t offset);
