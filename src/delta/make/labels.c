#include "delta/make/labels.h"

#include <stdlib.h>
#include <string.h>

#include "delta/elf/bytes.h"

#define COST_CODE 48 /* 3 bits: code and frames are told well by their models */
#define COST_FRAMES 46
#define COST_OTHER 69

struct labels {
        const struct su_labelled *what;
        struct su_projection *projection; /* or NULL */
        bool blank;
        uint8_t *text;
};

typedef void (*visit_function)(void *userdata, const struct su_reference *reference);

static int visit(const struct su_labelled *what, visit_function visitor, void *userdata,
                 struct su_error *err)
{
        su_auto_free struct su_block *block = calloc(1, sizeof *block);
        const struct su_module *module = what->module;
        uint64_t n = (module->elf.size + SU_MODULE_BLOCK - 1) >> SU_MODULE_BLOCK_LOG;
        int r = 0;

        if (!block)
                return su_fail_oom(err);
        for (uint64_t i = 0; i < n && r >= 0; i++) {
                r = su_module_block(module, i, block, err);
                for (size_t j = 0; j < block->n_references && r >= 0; j++)
                        if (block->references[j].offset < what->index_start ||
                            block->references[j].offset >= what->index_end)
                                visitor(userdata, &block->references[j]);
        }
        su_block_done(block);
        return r;
}

static void mark(void *userdata, const struct su_reference *reference)
{
        uint8_t *marks = userdata;

        marks[reference->offset] = 1;
        for (unsigned i = 1; i < su_reference_width(reference->kind); i++)
                marks[reference->offset + i] = 2;
}

int su_labels_mark(const struct su_labelled *what, uint8_t *marks, struct su_error *err)
{
        memset(marks, 0, what->module->elf.size);
        return visit(what, mark, marks, err);
}

static uint64_t scramble(uint64_t value)
{
        value = (value ^ value >> 33) * UINT64_C(0xff51afd7ed558ccd);
        value = (value ^ value >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
        return value ^ value >> 33;
}

static uint64_t hash_string(const struct su_elf *elf, const struct su_elf_section *strings,
                            uint64_t at)
{
        uint64_t hash = 5381;

        if (at < strings->offset)
                return hash;
        for (; at < strings->offset + strings->size && elf->data[at]; at++)
                hash = hash * 33 + elf->data[at];
        return hash;
}

/* A symbol is its name, a name its letters: both may stand elsewhere by now. */
static bool label_by_name(const struct su_elf *elf, const struct su_reference *reference,
                          uint64_t *ret)
{
        if (reference->kind == SU_STRING32 && elf->dynstr &&
            reference->base == elf->dynstr->offset) {
                *ret = scramble(hash_string(elf, elf->dynstr, reference->target) + 1);
                return true;
        }
        if (reference->kind != SU_INDEX32 || !elf->dynsym || !elf->dynstr ||
            reference->base != elf->dynsym->offset)
                return false;
        if (reference->target < elf->dynsym->offset ||
            reference->target + 24 > elf->dynsym->offset + elf->dynsym->size)
                *ret = scramble(7);
        else
                *ret = scramble(
                        hash_string(elf, elf->dynstr,
                                    elf->dynstr->offset + su_get32(elf->data + reference->target)));
        return true;
}

static uint64_t label_of(const struct labels *labels, const struct su_reference *reference)
{
        bool is_end = su_reference_is_end(reference->kind), covered;
        const struct su_span *span;
        uint64_t target = reference->target, label;

        if (label_by_name(&labels->what->module->elf, reference, &label))
                return label;
        if (labels->blank)
                return scramble(reference->kind + 1000U);
        if (labels->projection) {
                target = su_project(labels->projection, target - is_end, &covered, &span) + is_end;
                if (!covered && reference->target < labels->what->module->elf.size)
                        return scramble(reference->target ^ UINT64_C(0x123456789abcdef));
        }
        return scramble(target * 2 + is_end);
}

static void put_label(void *userdata, const struct su_reference *reference)
{
        const struct labels *labels = userdata;

        if (!su_reference_is_number(reference->kind))
                su_reference_mask(labels->text + reference->offset, reference->kind,
                                  label_of(labels, reference));
}

/* A word that is filled in at start, zero or an address of no meaning until then, has no bytes of
 * its own: it gets those of its relocation. */
static void label_slots(const struct labels *labels)
{
        const struct su_elf *elf = &labels->what->module->elf;

        for (size_t i = 0; i < elf->n_sections; i++) {
                const struct su_elf_section *section = &elf->sections[i];

                if (section->role != SU_ELF_RELA)
                        continue;
                for (uint64_t at = section->offset; at + 24 <= section->offset + section->size;
                     at += 24) {
                        uint64_t offset;

                        if (!su_elf_position(elf, su_get64(elf->data + at), &offset) ||
                            offset + 8 > elf->size ||
                            (su_get64(elf->data + offset) != 0 &&
                             memcmp(elf->data + offset, labels->text + offset, 8) == 0))
                                continue;
                        su_put64(labels->text + offset,
                                 scramble(su_get64(labels->text + at + 16) * 31 +
                                          su_get64(labels->text + at + 8)));
                }
        }
}

static int fill(struct labels *labels, struct su_error *err)
{
        const struct su_elf *elf = &labels->what->module->elf;
        int r;

        memcpy(labels->text, elf->data, elf->size);
        memset(labels->text + elf->size, 0, 8);
        r = visit(labels->what, put_label, labels, err);
        if (r >= 0)
                label_slots(labels);
        return r;
}

int su_labels_blank(const struct su_labelled *what, uint8_t *text, struct su_error *err)
{
        return fill(&(struct labels){.what = what, .blank = true, .text = text}, err);
}

int su_labels_targets(const struct su_labelled *what, struct su_projection *projection,
                      uint8_t *text, struct su_error *err)
{
        return fill(&(struct labels){.what = what, .projection = projection, .text = text}, err);
}

int su_labels_costs(const struct su_module *module, uint8_t *costs, struct su_error *err)
{
        const struct su_elf *elf = &module->elf;

        (void)err;
        memset(costs, COST_OTHER, elf->size);
        for (size_t i = 0; i < elf->n_sections; i++) {
                const struct su_elf_section *section = &elf->sections[i];

                if (section->role == SU_ELF_CODE || section->role == SU_ELF_PLT)
                        memset(costs + section->offset, COST_CODE, section->size);
                else if (section->role == SU_ELF_EH_FRAME)
                        memset(costs + section->offset, COST_FRAMES, section->size);
        }
        return 0;
}
