/* Within this room: where the parts of the analysis put what they find. */
#pragma once

#include "delta/elf/module.h"

/* Add a reference if its field begins in the block and lies in the file. Memory that is short shows
 * at the end, by `failed`. */
struct su_collector {
        const struct su_module *module;
        struct su_block *block;
        bool failed;
};

void su_collect(struct su_collector *to, uint64_t offset, enum su_reference_kind kind,
                unsigned extra, uint64_t target, uint64_t base);
/* The same for the target at an address; nothing happens when nothing is mapped there. True when it
 * is. */
bool su_collect_address(struct su_collector *to, uint64_t offset, enum su_reference_kind kind,
                        unsigned extra, uint64_t address, uint64_t base);

/* Each looks at the bytes of one section that belong to the block, [start, end). */
void su_collect_x86(struct su_collector *to, const struct su_elf_section *section, uint64_t start,
                    uint64_t end);
void su_collect_a64(struct su_collector *to, const struct su_elf_section *section, uint64_t start,
                    uint64_t end);
void su_collect_data(struct su_collector *to, const struct su_elf_section *section, uint64_t start,
                     uint64_t end);
void su_collect_frames(struct su_collector *to, const struct su_elf_section *section,
                       uint64_t start, uint64_t end);
void su_collect_headers(struct su_collector *to);

void su_fields_x86(const struct su_elf *elf, struct su_block *block,
                   const struct su_elf_section *section, uint64_t start, uint64_t end);
void su_fields_a64(struct su_block *block, uint64_t start, uint64_t end);

/* What su_module_open() looks for. False: memory is short. */
bool su_find_slots(struct su_module *module);
bool su_find_frames(struct su_module *module);
bool su_find_jump_tables(struct su_module *module);
