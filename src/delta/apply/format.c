#include "delta/apply/format.h"

/* Kinds of numbers, apart from those of delta/codec/state.h. */
enum number {
        NUMBER_PARTS = 200,
        NUMBER_SIZE,
        NUMBER_SIZE_CHANGE,
        NUMBER_SOURCE,
        NUMBER_SOURCE_OFFSET,
        NUMBER_SOURCE_REST,
        NUMBER_KIND,
};

uint64_t su_delta_parts_code(struct su_model *model, uint64_t n_parts)
{
        return su_model_number(model, n_parts, NUMBER_PARTS, 0, 0);
}

static void code_module(struct su_model *model, struct su_delta_part *part,
                        const uint64_t *source_sizes, size_t n_sources, uint64_t next_source)
{
        uint64_t size = 0;

        part->source = next_source +
                       (uint64_t)su_model_signed(model, (int64_t)(part->source - next_source),
                                                 NUMBER_SOURCE, 0, 0);
        part->source_offset =
                su_model_number(model, part->source_offset, NUMBER_SOURCE_OFFSET, 0, 0);
        if (part->source < n_sources && part->source_offset <= source_sizes[part->source])
                size = source_sizes[part->source] - part->source_offset;
        part->source_size =
                size - su_model_number(model, size - part->source_size, NUMBER_SOURCE_REST, 0, 0);
        part->size = part->source_size +
                     (uint64_t)su_model_signed(model, (int64_t)(part->size - part->source_size),
                                               NUMBER_SIZE_CHANGE, 0, 0);
}

void su_delta_part_code(struct su_model *model, struct su_delta_part *part, uint64_t left,
                        const uint64_t *source_sizes, size_t n_sources, uint64_t next_source)
{
        part->kind = (enum su_delta_part_kind)su_model_number(model, part->kind, NUMBER_KIND, 0, 0);
        if (part->kind == SU_PART_MODULE)
                code_module(model, part, source_sizes, n_sources, next_source);
        else /* the last part takes what is left: 0 */
                part->size = left - su_model_number(model, left - part->size, NUMBER_SIZE, 0, 0);
}
