/* A hostile module. Its references are in order, lie in the file and do not overlap; a block is the
 * same whenever it is asked for; and a place is where its address is. */
#include <stdlib.h>
#include <string.h>

#include "delta/elf/module.h"
#include "fuzz.h"

static void check_block(const struct su_module *module, const struct su_block *block)
{
        uint64_t end = block->start;

        fuzz_check(block->end <= module->elf.size && block->start < block->end);
        for (size_t i = 0; i < block->n_references; i++) {
                const struct su_reference *reference = &block->references[i];
                unsigned width = su_reference_width(reference->kind);

                fuzz_check(reference->kind < SU_REFERENCE_KINDS);
                fuzz_check(reference->offset >= end && reference->offset < block->end);
                end = (uint64_t)reference->offset + width;
                fuzz_check(end <= module->elf.size);
                fuzz_check(reference->kind != SU_INDEX32 || reference->extra > 0);
        }
        for (uint64_t at = block->end - block->start; at < SU_MODULE_BLOCK; at++)
                fuzz_check(block->fields[at] == SU_FIELD_NONE);
}

static void check_same(const struct su_block *a, const struct su_block *b)
{
        fuzz_check(a->start == b->start && a->end == b->end);
        fuzz_check(a->n_references == b->n_references);
        for (size_t i = 0; i < a->n_references; i++) {
                const struct su_reference *x = &a->references[i], *y = &b->references[i];

                fuzz_check(x->offset == y->offset && x->kind == y->kind && x->extra == y->extra);
                fuzz_check(x->target == y->target && x->base == y->base);
        }
        fuzz_check(memcmp(a->fields, b->fields, sizeof a->fields) == 0);
}

static void check_shape(const struct su_elf *elf)
{
        uint64_t end = 0;

        for (size_t i = 0; i < elf->n_sections; i++) {
                const struct su_elf_section *section = &elf->sections[i];

                fuzz_check(section->size > 0 && section->offset >= end);
                end = section->offset + section->size;
                fuzz_check(end <= elf->size);
                fuzz_check(su_elf_section_at(elf, section->offset) == i);
        }
        for (size_t i = 0; i < elf->n_segments; i++) {
                uint64_t position = 0, address = elf->segments[i].address;

                if (elf->segments[i].file_size == 0)
                        continue;
                fuzz_check(su_elf_position(elf, address, &position));
                fuzz_check(position < elf->size);
        }
}

/* Forwards into blocks of their own, then backwards into one that is used again and again. */
static void check_blocks(const struct su_module *module)
{
        uint64_t n = (module->elf.size + SU_MODULE_BLOCK - 1) >> SU_MODULE_BLOCK_LOG;
        struct su_block *blocks = calloc(n + 1, sizeof *blocks);

        fuzz_check(blocks);
        for (uint64_t i = 0; i < n; i++) {
                fuzz_check(su_module_block(module, i, &blocks[i], NULL) >= 0);
                su_module_fields(module, &blocks[i]);
                check_block(module, &blocks[i]);
        }
        for (uint64_t i = n; i-- > 0;) {
                fuzz_check(su_module_block(module, i, &blocks[n], NULL) >= 0);
                su_module_fields(module, &blocks[n]);
                check_same(&blocks[i], &blocks[n]);
        }
        for (uint64_t i = 0; i <= n; i++)
                su_block_done(&blocks[i]);
        free(blocks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_module struct su_module module = {0};

        if (su_module_open(data, size, &module, NULL) < 0)
                return 0;
        fuzz_check(module.elf.data == data && module.elf.size == size);
        fuzz_check(su_elf_extent(data, size) <= size);
        check_shape(&module.elf);
        if (module.elf.machine != 0 || size > 0)
                check_blocks(&module);
        return 0;
}
