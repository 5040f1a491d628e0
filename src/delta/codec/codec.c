#include "delta/codec/codec.h"

#include <stdlib.h>

#include "delta/codec/state.h"

/* What the analysis of a block costs, in decisions: it counts as work. */
#define BLOCK_WORK 2000

static void init_states(struct su_codec *codec)
{
        struct su_adaptive *references = &codec->reference_states[0][0][0][0][0];

        for (size_t i = 0; i < SU_ELEMENTS(codec->chunk_states); i++)
                codec->chunk_states[i] = (struct su_adaptive){45000, 2};
        for (size_t i = 0; i < sizeof codec->reference_states / sizeof *references; i++)
                references[i] = (struct su_adaptive){60000, 4};
        for (size_t i = 0; i < SU_REFERENCE_KINDS; i++)
                for (size_t j = 0; j < 16; j++)
                        codec->choice_states[i][j] = (struct su_adaptive){32768, 0};
        for (size_t i = 0; i < SU_ELEMENTS(codec->stripe_states); i++)
                codec->stripe_states[i] = (struct su_adaptive){4000, 2};
        for (size_t i = 0; i < 16; i++)
                for (size_t j = 0; j < 256; j++)
                        codec->became[i][j] = (uint8_t)j;
        codec->line_changes[0] = 1;
        codec->line_changes[1] = 2;
}

int su_codec_new(struct su_coder *coder, const struct su_codec_sink *sink, struct su_codec **ret,
                 struct su_error *err)
{
        su_auto_codec struct su_codec *codec = calloc(1, sizeof *codec);
        int r;

        if (!codec)
                return su_fail_oom(err);
        codec->coder = coder;
        codec->sink = *sink;
        codec->window.sink = sink->write;
        codec->window.userdata = sink->userdata;
        r = su_window_init(&codec->window, err);
        if (r >= 0)
                r = su_model_new(coder, &codec->model, err);
        if (r < 0)
                return r;
        init_states(codec);
        *ret = su_take(codec);
        return 0;
}

static void forget_part(struct su_codec *codec)
{
        for (size_t i = 0; i < SU_BLOCKS_KEPT; i++)
                codec->block_numbers[i] = UINT64_MAX;
        for (size_t i = 0; i < 3; i++)
                free(codec->targets.addresses[i]);
        codec->targets = (struct su_targets){0};
        free(codec->operations);
        codec->operations = NULL;
        codec->n_operations = 0;
        su_projection_done(&codec->projection);
        su_memory_done(&codec->memory);
        codec->shape = (struct su_elf){0};
        codec->omits_index = false;
        codec->old_index = codec->old_index_end = 0;
        codec->base_known = false;
        codec->place_start = codec->place_end = 0;
        codec->coder->place = 0;
        codec->frames.begun = codec->frames.entry_known = codec->frames.previous_known = false;
        codec->part = NULL;
}

void su_codec_free(struct su_codec *codec)
{
        if (!codec)
                return;
        forget_part(codec);
        for (size_t i = 0; i < SU_BLOCKS_KEPT; i++)
                if (codec->blocks[i]) {
                        su_block_done(codec->blocks[i]);
                        free(codec->blocks[i]);
                }
        su_window_done(&codec->window);
        su_model_free(codec->model);
        free(codec);
}

struct su_model *su_codec_model(struct su_codec *codec)
{
        return codec->model;
}

int su_codec_check(const struct su_codec *codec, struct su_error *err)
{
        if (!codec->coder->failed)
                return 0;
        if (!codec->coder->decoding)
                return su_fail_oom(err);
        return su_fail(err, SU_ERROR_DELTA,
                       "the delta is damaged: it ends too early, or asks for "
                       "more work than it declares");
}

void su_codec_note_place(struct su_codec *codec, uint64_t offset)
{
        const struct su_elf *elf = codec->part->module ? &codec->part->module->elf : NULL;
        size_t i;

        if (!elf || (offset >= codec->place_start && offset < codec->place_end))
                return;
        i = su_elf_section_at(elf, offset);
        codec->place_start = offset;
        codec->place_end = offset + 1;
        codec->coder->place = SU_ELF_OTHER;
        if (i == elf->n_sections || elf->sections[i].offset > offset)
                return;
        codec->coder->place = elf->sections[i].role;
        codec->place_end = elf->sections[i].offset + elf->sections[i].size;
}

static size_t block_slot(uint64_t offset)
{
        return (offset >> SU_MODULE_BLOCK_LOG) % SU_BLOCKS_KEPT;
}

const struct su_block *su_codec_block(struct su_codec *codec, uint64_t offset)
{
        uint64_t number = offset >> SU_MODULE_BLOCK_LOG;
        size_t slot = block_slot(offset);

        if (!codec->part->module || offset >= codec->part->old_size)
                return NULL;
        if (codec->block_numbers[slot] == number)
                return codec->blocks[slot];
        codec->block_numbers[slot] = UINT64_MAX;
        codec->coder->decisions += BLOCK_WORK;
        if (!codec->blocks[slot])
                codec->blocks[slot] = calloc(1, sizeof *codec->blocks[slot]);
        if (!codec->blocks[slot] ||
            su_module_block(codec->part->module, number, codec->blocks[slot], NULL) < 0) {
                codec->coder->failed = true;
                return NULL;
        }
        codec->block_numbers[slot] = number;
        return codec->blocks[slot];
}

uint8_t su_codec_field(struct su_codec *codec, uint64_t offset)
{
        const struct su_block *block = su_codec_block(codec, offset);

        if (!block)
                return SU_FIELD_NONE;
        su_module_fields(codec->part->module, codec->blocks[block_slot(offset)]);
        return block->fields[offset - block->start];
}

bool su_codec_is_code(struct su_codec *codec, uint64_t offset)
{
        if (!codec->part->module || offset >= codec->part->old_size)
                return false;
        su_codec_note_place(codec, offset);
        return codec->coder->place == SU_ELF_CODE || codec->coder->place == SU_ELF_PLT;
}

struct su_forecast su_codec_forecast(struct su_codec *codec, enum su_reference_kind kind,
                                     uint64_t target)
{
        bool is_end = su_reference_is_end(kind);
        struct su_forecast forecast = {.known = true};
        uint64_t position =
                su_project(&codec->projection, target - is_end, &forecast.covered, &forecast.span);

        if (su_reference_is_offset(kind) || kind == SU_INDEX32) {
                forecast.value = position;
                return forecast;
        }
        forecast.known = su_elf_address(&codec->shape, position, &forecast.value);
        forecast.value = forecast.known ? forecast.value + is_end : 0;
        return forecast;
}

static int tell_progress(struct su_codec *codec, struct su_error *err)
{
        if (codec->sink.progress &&
            codec->sink.progress(codec->sink.userdata, codec->window.settled))
                return su_fail(err, SU_ERROR_CANCELLED, "cancelled");
        return su_codec_check(codec, err);
}

static const struct su_elf_section *index_section(const struct su_elf *elf)
{
        for (size_t i = 0; i < elf->n_sections; i++)
                if (elf->sections[i].role == SU_ELF_EH_FRAME_HDR)
                        return &elf->sections[i];
        return NULL;
}

int su_codec_find_index(struct su_codec *codec, struct su_error *err)
{
        const struct su_elf_section *section;

        if (!codec->omits_index)
                return 0;
        section = index_section(&codec->part->module->elf);
        if (!section || section->size < SU_FRAME_INDEX_HEAD)
                return su_fail(err, SU_ERROR_DELTA,
                               "the delta is damaged: it omits an index that nothing is known of");
        codec->old_index = section->offset + SU_FRAME_INDEX_HEAD;
        codec->old_index_end = section->offset + section->size;
        codec->index = (struct su_frame_index){
                .shape = &codec->shape,
                .at = su_codec_forecast(codec, SU_OFFSET64, section->offset).value,
        };
        codec->window.hold = codec->index.at;
        return 0;
}

/* The encoder's window holds the old table where the decoder makes the new one; nobody reads it. */
int su_codec_fill_index(struct su_codec *codec, struct su_error *err)
{
        struct su_window *window = &codec->window;

        if (window->hold > window->settled)
                return 0;
        if (su_codec_encodes(codec)) {
                window->hold = UINT64_MAX;
                return 0;
        }
        switch (su_frame_index_fill(&codec->index, window->bytes, window->start, window->settled)) {
        case SU_FRAME_INDEX_DONE:
                window->hold = UINT64_MAX;
                return 0;
        case SU_FRAME_INDEX_BROKEN:
                return su_fail(err, SU_ERROR_DELTA,
                               "the delta is damaged: an index does not fit its records");
        default:
                return 0;
        }
}

/* Operations that end behind the part's bytes stand for zero-filled memory: they move addresses,
 * and make no output. */
static int write_out(struct su_codec *codec, struct su_error *err)
{
        struct su_gap gap = {0};
        int r;

        for (size_t i = 0; i <= codec->n_operations; i++) {
                const struct su_operation *operation = &codec->operations[i];
                bool last = i == codec->n_operations || operation->to >= codec->part->size;

                gap.end = last ? codec->part->size : operation->to;
                gap.after = last ? codec->part->old_size : operation->from;
                if (gap.end > gap.start) {
                        r = su_codec_insert(codec, &gap, err);
                        if (r >= 0)
                                r = su_codec_fill_index(codec, err);
                        if (r < 0)
                                return r;
                }
                if (last)
                        break;
                r = su_codec_copy(codec, operation, err);
                if (r >= 0)
                        r = tell_progress(codec, err);
                if (r < 0)
                        return r;
                gap.start = (uint64_t)operation->to + operation->length;
                gap.before = (uint64_t)operation->from + operation->length;
        }
        if (codec->window.hold != UINT64_MAX && !su_codec_encodes(codec))
                return su_fail(err, SU_ERROR_DELTA,
                               "the delta is damaged: an index is missing its records");
        codec->window.hold = UINT64_MAX;
        return su_window_flush(&codec->window, err);
}

static int code_part(struct su_codec *codec, struct su_error *err)
{
        int r;

        r = su_codec_shape(codec, err);
        if (r >= 0)
                r = su_codec_operations(codec, err);
        if (r >= 0)
                r = su_projection_make(codec->operations, codec->n_operations, &codec->projection,
                                       err);
        if (r >= 0)
                r = su_codec_find_index(codec, err);
        if (r >= 0)
                r = su_memory_init(&codec->memory, err);
        if (r >= 0 && codec->inserted > 0)
                r = su_codec_prepare_inserts(codec, err);
        if (r >= 0)
                r = write_out(codec, err);
        return r < 0 ? r : su_codec_check(codec, err);
}

int su_codec_part(struct su_codec *codec, const struct su_part *part, struct su_error *err)
{
        int r;

        forget_part(codec);
        codec->part = part;
        su_window_reset(&codec->window);
        r = code_part(codec, err);
        forget_part(codec);
        return r;
}
