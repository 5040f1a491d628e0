/* What comes before the bytes of a part: where the new file's segments lie, and its operations. */
#include <stdlib.h>

#include "delta/codec/state.h"

#define POSITIONS_MAX (UINT64_C(1) << 32)
#define HOMES 2
#define FAR 1024 /* a change of shift that is worth coming back from */

static uint64_t code_relative(struct su_codec *codec, uint64_t value, uint64_t expected, uint32_t a)
{
        return expected + (uint64_t)su_model_signed(codec->model, (int64_t)(value - expected),
                                                    SU_NUMBER_SEGMENT, a, 0);
}

static int code_segment(struct su_codec *codec, struct su_elf_segment *segment,
                        const struct su_elf_segment *old, struct su_error *err)
{
        uint64_t moved, grown;
        int r;

        segment->offset = code_relative(codec, segment->offset, old->offset, 0);
        moved = segment->offset - old->offset;
        segment->address = code_relative(codec, segment->address, old->address + moved, 0);
        segment->file_size = code_relative(codec, segment->file_size, old->file_size, 1);
        grown = segment->file_size - old->file_size;
        segment->memory_size =
                code_relative(codec, segment->memory_size, old->memory_size + grown, 2);
        r = su_codec_check(codec, err);
        if (r < 0)
                return r;
        if (segment->memory_size < segment->file_size || segment->memory_size > SU_PART_MAX ||
            segment->offset > codec->part->size ||
            segment->file_size > codec->part->size - segment->offset)
                return su_fail(err, SU_ERROR_DELTA,
                               "the delta is damaged: a segment lies outside its file");
        return 0;
}

static bool code_omission(struct su_codec *codec, bool omits)
{
        struct su_question question = {
                .n = 1, .set = SU_SET_FLAGS + 7, .contexts = {su_hash(0x610, 1)}};

        return su_model_bit(codec->model, &question, omits, NULL, 0);
}

int su_codec_shape(struct su_codec *codec, struct su_error *err)
{
        static const struct su_elf_segment none = {0};
        const struct su_module *module = codec->part->module;
        struct su_elf *shape = &codec->shape;
        uint64_t n = 0;

        codec->coder->stream = SU_STREAM_HEADER;
        shape->size = codec->part->size;
        if (!module)
                return 0;
        if (su_codec_encodes(codec)) {
                n = codec->part->shape->n_segments;
                memcpy(shape->segments, codec->part->shape->segments, sizeof shape->segments);
        }
        codec->omits_index = code_omission(codec, codec->part->omits_index);
        n = su_model_number(codec->model, n, SU_NUMBER_SEGMENTS, 0, 0);
        if (n > SU_ELF_SEGMENTS_MAX)
                return su_fail(err, SU_ERROR_DELTA, "the delta is damaged: too many segments");
        shape->n_segments = (size_t)n;
        for (size_t i = 0; i < n; i++) {
                struct su_elf_segment *segment = &shape->segments[i];
                int r = code_segment(codec, segment,
                                     i < module->elf.n_segments ? &module->elf.segments[i] : &none,
                                     err);

                if (r < 0)
                        return r;
                shape->zero_size = segment->memory_size - segment->file_size;
        }
        return 0;
}

/* What the next operation is likely to be like. */
struct history {
        uint64_t to, from; /* where the last one ended */
        int64_t homes[HOMES];
        unsigned far; /* which of the last jumped far, the last in the lowest bit */
        unsigned insert_log, length_log, change_log;
};

static unsigned log_of(uint64_t value)
{
        return 64 - (unsigned)__builtin_clzll(value + 1);
}

static uint64_t size_of(int64_t value)
{
        return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* The encoder's: which shift the new one is told from; 0 is the last one. */
static unsigned choose_base(const struct history *history, int64_t shift)
{
        uint64_t best = size_of(shift - (int64_t)(history->from - history->to));
        unsigned choice = 0;

        for (unsigned i = 0; i < HOMES; i++) {
                uint64_t change = size_of(shift - history->homes[i]);

                if (change < 65536 && change * 8 < best) {
                        best = change * 4;
                        choice = i + 1;
                }
        }
        return choice;
}

static unsigned code_choice(struct su_codec *codec, const struct history *history, unsigned choice)
{
        struct su_question question = {
                .n = 4,
                .set = SU_SET_FLAGS,
                .contexts = {su_hash(0x600, history->far & 15), su_hash(0x601, history->change_log),
                             su_hash(0x602, su_hash(history->length_log >> 1, history->far & 3)),
                             su_hash(0x603, su_hash(history->insert_log, history->far & 3))},
        };

        if (!su_model_bit(codec->model, &question, choice != 0, NULL, 0))
                return 0;
        for (unsigned i = 0; i < 4; i++)
                question.contexts[i] += 99;
        question.set = SU_SET_FLAGS + 1;
        return 1 + su_model_bit(codec->model, &question, choice == 2, NULL, 0);
}

/* The last shift becomes a home when it is left for long. */
static void move_homes(struct history *history, unsigned choice, int64_t last, int64_t change)
{
        bool far = choice == 0 && size_of(change) > FAR;

        if (far || choice == 2)
                history->homes[1] = history->homes[0];
        if (far || choice != 0)
                history->homes[0] = last;
        history->far = history->far << 1 | far;
}

static int64_t code_shift(struct su_codec *codec, struct history *history, int64_t shift)
{
        int64_t last = (int64_t)(history->from - history->to), base, change;
        unsigned choice = su_codec_encodes(codec) ? choose_base(history, shift) : 0;

        choice = code_choice(codec, history, choice);
        base = choice ? history->homes[choice - 1] : last;
        change = su_model_signed(codec->model, shift - base,
                                 choice ? SU_NUMBER_SHIFT_HOME : SU_NUMBER_SHIFT,
                                 history->insert_log, choice ? 0 : history->change_log >> 1);
        if (size_of(change) > POSITIONS_MAX)
                change = 0; /* found to be wrong below, or by the digest */
        move_homes(history, choice, last, change);
        history->change_log = log_of(size_of(change));
        return base + change;
}

static bool fits(const struct su_codec *codec, uint64_t to, uint64_t from, uint64_t length)
{
        const struct su_part *part = codec->part;
        uint64_t old_zero = part->module ? part->module->elf.zero_size : 0;

        if (to < part->size)
                return length <= part->size - to && from < part->old_size &&
                       length <= part->old_size - from;
        return to <= part->size + codec->shape.zero_size &&
               length <= part->size + codec->shape.zero_size - to && from >= part->old_size &&
               from <= part->old_size + old_zero && length <= part->old_size + old_zero - from;
}

static int code_operation(struct su_codec *codec, struct history *history,
                          struct su_operation *operation, struct su_error *err)
{
        uint64_t insert, length, to, from;
        unsigned last_length = history->length_log, last_change = history->change_log;
        unsigned last_insert = history->insert_log;
        int r;

        insert = su_model_number(codec->model, operation->to - history->to, SU_NUMBER_INSERT,
                                 last_length >> 1, last_change >> 1);
        history->insert_log = log_of(insert);
        to = history->to + (insert > POSITIONS_MAX ? POSITIONS_MAX : insert);
        from = to + (uint64_t)code_shift(codec, history,
                                         (int64_t)operation->from - (int64_t)operation->to);
        length = su_model_number(codec->model, operation->length, SU_NUMBER_LENGTH,
                                 history->change_log >> 1, last_insert >> 1);
        r = su_codec_check(codec, err);
        if (r < 0)
                return r;
        if (length == 0 || !fits(codec, to, from, length))
                return su_fail(err, SU_ERROR_DELTA,
                               "the delta is damaged: a copy lies outside its file");
        history->length_log = log_of(length);
        *operation = (struct su_operation){(uint32_t)to, (uint32_t)from, (uint32_t)length};
        if (to < codec->part->size)
                codec->inserted += to - history->to;
        history->to = to + length;
        history->from = from + length;
        return 0;
}

int su_codec_operations(struct su_codec *codec, struct su_error *err)
{
        struct history history = {0};
        uint64_t n, end = 0;
        int r;

        codec->coder->stream = SU_STREAM_OPERATIONS;
        codec->inserted = 0;
        n = su_model_number(codec->model, codec->part->n_operations, SU_NUMBER_OPERATIONS, 0, 0);
        r = su_codec_check(codec, err);
        if (r < 0)
                return r;
        if (n > SU_OPERATIONS_MAX)
                return su_fail(err, SU_ERROR_DELTA, "the delta is damaged: too many operations");
        codec->operations = calloc(n + 1, sizeof *codec->operations);
        if (!codec->operations)
                return su_fail_oom(err);
        for (size_t i = 0; i < n; i++) {
                struct su_operation operation = su_codec_encodes(codec) ? codec->part->operations[i]
                                                                        : (struct su_operation){0};

                if (su_codec_encodes(codec) && codec->part->module)
                        su_codec_note_place(codec, operation.from);
                r = code_operation(codec, &history, &operation, err);
                if (r < 0)
                        return r;
                codec->operations[i] = operation;
                if (operation.to < codec->part->size)
                        end = (uint64_t)operation.to + operation.length;
        }
        codec->n_operations = (size_t)n;
        codec->inserted += codec->part->size - end;
        return 0;
}
