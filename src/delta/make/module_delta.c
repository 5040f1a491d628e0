#include "delta/make/module_delta.h"

#include <stdlib.h>
#include <string.h>

#include "delta/elf/bytes.h"
#include "delta/make/labels.h"

#define ROUNDS 4
#define FIRST_MIN_LENGTH 12
#define MIN_LENGTH 5

struct work {
        const struct su_labelled *old_labelled, *new_labelled;
        const struct su_module *old, *new;
        uint8_t *old_text, *new_text, *marks, *costs;
        struct su_suffixes suffixes;
};

static void work_done(struct work *work)
{
        free(work->old_text);
        free(work->new_text);
        free(work->marks);
        free(work->costs);
        su_suffixes_done(&work->suffixes);
}

static int prepare(struct work *work, struct su_error *err)
{
        int r;

        work->old_text = malloc(work->old->elf.size + 16);
        work->new_text = malloc(work->new->elf.size + 16);
        work->marks = malloc(work->old->elf.size + 16);
        work->costs = malloc(work->new->elf.size + 16);
        if (!work->old_text || !work->new_text || !work->marks || !work->costs)
                return su_fail_oom(err);
        r = su_labels_mark(work->old_labelled, work->marks, err);
        return r < 0 ? r : su_labels_costs(work->new, work->costs, err);
}

/* Which way round: new positions to old ones. */
static int invert(const struct su_operations *operations, struct su_projection *ret,
                  struct su_error *err)
{
        su_auto_free struct su_operation *inverse = calloc(operations->n + 1, sizeof *inverse);

        if (!inverse)
                return su_fail_oom(err);
        for (size_t i = 0; i < operations->n; i++)
                inverse[i] =
                        (struct su_operation){operations->items[i].from, operations->items[i].to,
                                              operations->items[i].length};
        return su_projection_make(inverse, operations->n, ret, err);
}

static int label(struct work *work, unsigned round, const struct su_operations *operations,
                 struct su_error *err)
{
        su_auto_projection struct su_projection inverse = {0};
        int r;

        if (round == 0) {
                r = su_labels_blank(work->old_labelled, work->old_text, err);
                return r < 0 ? r : su_labels_blank(work->new_labelled, work->new_text, err);
        }
        r = invert(operations, &inverse, err);
        if (r >= 0 && round == 1)
                r = su_labels_targets(work->old_labelled, NULL, work->old_text, err);
        return r < 0 ? r : su_labels_targets(work->new_labelled, &inverse, work->new_text, err);
}

/* The old text changes between the first two rounds only. */
static int index_old(struct work *work, unsigned round, struct su_error *err)
{
        if (round > 1)
                return 0;
        su_suffixes_done(&work->suffixes);
        return su_suffixes_make(work->old_text, work->old->elf.size, &work->suffixes, err);
}

/* ---- zero-filled memory ---- */

/* A place of it that old code refers to, and where the new code does instead. */
struct pair {
        uint64_t old, new;
};

struct pairs {
        struct pair *items;
        size_t n, capacity;
        const struct work *work;
        struct su_block *block;
        uint64_t block_number;
};

static int add_pair(struct pairs *pairs, struct pair pair, struct su_error *err)
{
        if (pairs->n == pairs->capacity) {
                size_t capacity = pairs->capacity ? pairs->capacity * 2 : 1024;
                struct pair *larger = realloc(pairs->items, capacity * sizeof *larger);

                if (!larger)
                        return su_fail_oom(err);
                pairs->items = larger;
                pairs->capacity = capacity;
        }
        pairs->items[pairs->n++] = pair;
        return 0;
}

static bool refers_to_zero(const struct su_elf *elf, const struct su_reference *reference)
{
        return reference->target >= elf->size &&
               (reference->kind == SU_RIP32 || reference->kind == SU_ADDRESS64 ||
                reference->kind == SU_ADDRESS32);
}

/* Copies are in the order of the new file, blocks of the old one: one block is kept. */
static int pair_up(struct pairs *pairs, const struct su_operation *operation, struct su_error *err)
{
        const struct su_elf *old = &pairs->work->old->elf, *new = &pairs->work->new->elf;
        uint64_t end = (uint64_t)operation->from + operation->length;

        for (uint64_t at = operation->from; at < end; at = pairs->block->end) {
                uint64_t number = at >> SU_MODULE_BLOCK_LOG;

                if (number != pairs->block_number) {
                        int r = su_module_block(pairs->work->old, number, pairs->block, err);

                        if (r < 0)
                                return r;
                        pairs->block_number = number;
                }
                for (size_t i = 0; i < pairs->block->n_references; i++) {
                        const struct su_reference *reference = &pairs->block->references[i];
                        unsigned width = su_reference_width(reference->kind);
                        uint64_t position =
                                reference->offset - (uint64_t)operation->from + operation->to;
                        uint64_t address, target;
                        int r;

                        if (reference->offset < at || reference->offset + width > end ||
                            !refers_to_zero(old, reference) ||
                            !su_elf_address(new, position, &address))
                                continue;
                        address = su_reference_read(new->data + position, reference->kind,
                                                    reference->extra, address, 0);
                        if (!su_elf_position(new, address, &target) || target < new->size)
                                continue;
                        r = add_pair(pairs, (struct pair){reference->target, target}, err);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static int compare_pairs(const void *a, const void *b)
{
        const struct pair *x = a, *y = b;

        if (x->old != y->old)
                return x->old < y->old ? -1 : 1;
        return x->new < y->new ? -1 : x->new > y->new;
}

/* Of all new places of an old one the most frequent, the lowest of equals. */
static void vote(struct pairs *pairs)
{
        size_t n = 0;

        for (size_t i = 0; i < pairs->n;) {
                struct pair best = pairs->items[i];
                size_t best_count = 0, j = i;

                while (j < pairs->n && pairs->items[j].old == best.old) {
                        size_t k = j;

                        while (k < pairs->n &&
                               compare_pairs(&pairs->items[k], &pairs->items[j]) == 0)
                                k++;
                        if (k - j > best_count) {
                                best_count = k - j;
                                best.new = pairs->items[j].new;
                        }
                        j = k;
                }
                pairs->items[n++] = best;
                i = j;
        }
        pairs->n = n;
}

/* Runs of places that moved alike become copies; one that stands alone is not worth one. */
static int add_runs(const struct work *work, const struct pairs *pairs, struct su_operations *ret,
                    struct su_error *err)
{
        const struct su_elf *old = &work->old->elf, *new = &work->new->elf;
        uint64_t old_end = old->size + old->zero_size, new_end = new->size + new->zero_size;
        uint64_t to = new->size;

        for (size_t i = 0; i < pairs->n;) {
                uint64_t shift = pairs->items[i].new - pairs->items[i].old, from, end;
                size_t j = i;
                int r;

                while (j < pairs->n && pairs->items[j].new - pairs->items[j].old == shift)
                        j++;
                from = pairs->items[i].old;
                end = j < pairs->n ? pairs->items[j].old : old_end;
                if (end + shift > new_end)
                        end = new_end - shift;
                if ((j - i >= 2 || pairs->n == 1) && from + shift >= to && end > from &&
                    end <= old_end) {
                        r = su_operations_add(ret,
                                              (struct su_operation){(uint32_t)(from + shift),
                                                                    (uint32_t)from,
                                                                    (uint32_t)(end - from)},
                                              err);
                        if (r < 0)
                                return r;
                        to = end + shift;
                }
                i = j;
        }
        return 0;
}

static int add_zero_memory(const struct work *work, struct su_operations *ret, struct su_error *err)
{
        struct pairs pairs = {.work = work, .block_number = UINT64_MAX};
        size_t n = ret->n;
        int r = 0;

        pairs.block = calloc(1, sizeof *pairs.block);
        if (!pairs.block)
                return su_fail_oom(err);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = pair_up(&pairs, &ret->items[i], err);
        if (r >= 0 && pairs.n > 0) {
                qsort(pairs.items, pairs.n, sizeof *pairs.items, compare_pairs);
                vote(&pairs);
                r = add_runs(work, &pairs, ret, err);
        }
        su_block_done(pairs.block);
        free(pairs.block);
        free(pairs.items);
        return r;
}

int su_module_delta(const struct su_labelled *old, const struct su_labelled *new,
                    struct su_operations *ret, struct su_error *err)
{
        su_auto(work_done) struct work work = {
                .old_labelled = old, .new_labelled = new, .old = old->module, .new = new->module};
        int r = prepare(&work, err);

        for (unsigned round = 0; round < ROUNDS && r >= 0; round++) {
                struct su_texts texts = {
                        .old = work.old_text,
                        .new = work.new_text,
                        .old_size = work.old->elf.size,
                        .new_size = work.new->elf.size,
                        .old_references = work.marks,
                        .new_costs = work.costs,
                };

                r = label(&work, round, ret, err);
                if (r >= 0)
                        r = index_old(&work, round, err);
                ret->n = 0;
                if (r >= 0)
                        r = su_match(&texts, &work.suffixes,
                                     round == 0 ? FIRST_MIN_LENGTH : MIN_LENGTH, ret, err);
                if (r >= 0)
                        r = add_zero_memory(&work, ret, err);
        }
        return r;
}
