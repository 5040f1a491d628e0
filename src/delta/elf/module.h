/* A module, and its references block by block.
 *
 * su_module_open() looks over the whole file once and keeps what a block alone cannot tell: where
 * exception frames begin, which words relocations make addresses, where jump tables lie. It asks
 * for one bit per eight bytes of the file, a word per block of exception frames and per jump table.
 * su_module_block() then finds the references of one block whenever they are wanted; its result
 * depends on the file and the block alone, not on what was asked before.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "delta/elf/elf.h"
#include "delta/elf/reference.h"

#define SU_MODULE_BLOCK_LOG 15
#define SU_MODULE_BLOCK (UINT32_C(1) << SU_MODULE_BLOCK_LOG)

/* What a byte of code is within its instruction. */
enum su_field {
        SU_FIELD_NONE, /* no code */
        SU_FIELD_PREFIX,
        SU_FIELD_OPCODE,
        SU_FIELD_MODRM,
        SU_FIELD_SIB,
        SU_FIELD_DISPLACEMENT8,
        SU_FIELD_DISPLACEMENT32,
        SU_FIELD_IMMEDIATE8,
        SU_FIELD_IMMEDIATE32,
        SU_FIELD_IMMEDIATE64,
        SU_FIELD_START = 16, /* or'ed: the first byte of an instruction */
};

struct su_block {
        struct su_reference *references; /* by offset, none overlapping another of its block */
        size_t n_references, capacity;
        uint64_t start, end; /* file offsets */
        bool has_fields;
        uint8_t fields[SU_MODULE_BLOCK]; /* enum su_field, once they are asked for */
};

struct su_jump_table {
        uint32_t offset; /* in the file; its address is the base of its entries */
        uint32_t n;
};

struct su_module {
        struct su_elf elf;
        uint8_t *slots;   /* a bit for each aligned word that a relocation makes an address */
        uint32_t *frames; /* per block of .eh_frame: the first record that ends in or behind it */
        size_t n_frames;
        struct su_jump_table *tables; /* by offset */
        size_t n_tables, tables_capacity;
};

/* A file that is no module of ours opens, too: it has no references. SYSTEM when memory is short.
 * `data` is borrowed. */
int su_module_open(const uint8_t *data, uint64_t size, struct su_module *ret, struct su_error *err);
void su_module_done(struct su_module *module);
#define su_auto_module su_auto(su_module_done)

int su_module_block(const struct su_module *module, uint64_t number, struct su_block *block,
                    struct su_error *err);
/* Fill in the fields of a block that su_module_block() has filled in. */
void su_module_fields(const struct su_module *module, struct su_block *block);
void su_block_done(struct su_block *block);
#define su_auto_block su_auto(su_block_done)
