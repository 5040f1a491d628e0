#include "delta/elf/module.h"

#include <stdlib.h>
#include <string.h>

#include "delta/elf/collect.h"

int su_module_open(const uint8_t *data, uint64_t size, struct su_module *ret, struct su_error *err)
{
        su_auto_module struct su_module module = {0};

        errno = 0;
        if (!su_elf_parse(data, size, &module.elf)) {
                if (errno == ENOMEM)
                        return su_fail_oom(err);
                module.elf.data = data;
                module.elf.size = size;
        } else if (!su_find_slots(&module) || !su_find_frames(&module) ||
                   !su_find_jump_tables(&module)) {
                return su_fail_oom(err);
        }
        *ret = module;
        module = (struct su_module){0};
        return 0;
}

void su_module_done(struct su_module *module)
{
        su_elf_done(&module->elf);
        free(module->slots);
        free(module->frames);
        free(module->tables);
        *module = (struct su_module){0};
}

void su_collect(struct su_collector *to, uint64_t offset, enum su_reference_kind kind,
                unsigned extra, uint64_t target, uint64_t base)
{
        struct su_block *block = to->block;

        if (offset < block->start || offset >= block->end ||
            su_reference_width(kind) > to->module->elf.size - offset)
                return;
        if (block->n_references == block->capacity) {
                size_t capacity = block->capacity ? block->capacity * 2 : 1024;
                struct su_reference *larger = realloc(block->references, capacity * sizeof *larger);

                if (!larger) {
                        to->failed = true;
                        return;
                }
                block->references = larger;
                block->capacity = capacity;
        }
        block->references[block->n_references++] = (struct su_reference){
                .offset = (uint32_t)offset,
                .kind = (uint8_t)kind,
                .extra = (uint8_t)extra,
                .target = target,
                .base = base,
        };
}

bool su_collect_address(struct su_collector *to, uint64_t offset, enum su_reference_kind kind,
                        unsigned extra, uint64_t address, uint64_t base)
{
        bool is_end = su_reference_is_end(kind);
        uint64_t target;

        if (!su_elf_position(&to->module->elf, is_end ? address - 1 : address, &target))
                return false;
        su_collect(to, offset, kind, extra, target + is_end, base);
        return true;
}

static void collect_section(struct su_collector *to, const struct su_elf_section *section)
{
        const struct su_block *block = to->block;
        uint64_t start = section->offset > block->start ? section->offset : block->start;
        uint64_t end = section->offset + section->size;

        if (end > block->end)
                end = block->end;
        switch (section->role) {
        case SU_ELF_CODE:
        case SU_ELF_PLT:
                if (to->module->elf.machine == EM_X86_64)
                        su_collect_x86(to, section, start, end);
                else
                        su_collect_a64(to, section, start, end);
                break;
        case SU_ELF_EH_FRAME:
                su_collect_frames(to, section, start, end);
                break;
        default:
                su_collect_data(to, section, start, end);
        }
}

/* Total, so that every sort agrees. */
static int compare_references(const void *a, const void *b)
{
        const struct su_reference *x = a, *y = b;

        if (x->offset != y->offset)
                return x->offset < y->offset ? -1 : 1;
        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        if (x->target != y->target)
                return x->target < y->target ? -1 : 1;
        if (x->base != y->base)
                return x->base < y->base ? -1 : 1;
        return (int)x->extra - (int)y->extra;
}

static void order_references(struct su_block *block)
{
        uint64_t end = 0;
        size_t n = 0;

        for (size_t i = 1; i < block->n_references; i++)
                if (compare_references(&block->references[i - 1], &block->references[i]) > 0) {
                        qsort(block->references, block->n_references, sizeof *block->references,
                              compare_references);
                        break;
                }
        for (size_t i = 0; i < block->n_references; i++) {
                struct su_reference reference = block->references[i];

                if (reference.offset < end)
                        continue;
                end = (uint64_t)reference.offset + su_reference_width(reference.kind);
                block->references[n++] = reference;
        }
        block->n_references = n;
}

int su_module_block(const struct su_module *module, uint64_t number, struct su_block *block,
                    struct su_error *err)
{
        const struct su_elf *elf = &module->elf;
        struct su_collector to = {.module = module, .block = block};

        block->n_references = 0;
        block->start = number << SU_MODULE_BLOCK_LOG;
        block->end = block->start + SU_MODULE_BLOCK;
        if (block->end > elf->size)
                block->end = elf->size;
        block->has_fields = false;
        if (elf->machine == 0)
                return 0;
        su_collect_headers(&to);
        for (size_t i = su_elf_section_at(elf, block->start);
             i < elf->n_sections && elf->sections[i].offset < block->end; i++)
                collect_section(&to, &elf->sections[i]);
        if (to.failed)
                return su_fail_oom(err);
        order_references(block);
        return 0;
}

void su_module_fields(const struct su_module *module, struct su_block *block)
{
        const struct su_elf *elf = &module->elf;

        if (block->has_fields)
                return;
        memset(block->fields, SU_FIELD_NONE, sizeof block->fields);
        block->has_fields = true;
        for (size_t i = su_elf_section_at(elf, block->start);
             i < elf->n_sections && elf->sections[i].offset < block->end; i++) {
                const struct su_elf_section *section = &elf->sections[i];
                uint64_t start = section->offset, end = section->offset + section->size;

                if (section->role != SU_ELF_CODE && section->role != SU_ELF_PLT)
                        continue;
                start = start > block->start ? start : block->start;
                end = end < block->end ? end : block->end;
                if (elf->machine == EM_X86_64)
                        su_fields_x86(elf, block, section, start, end);
                else
                        su_fields_a64(block, start, end);
        }
}

void su_block_done(struct su_block *block)
{
        free(block->references);
        block->references = NULL;
        block->n_references = block->capacity = 0;
}
