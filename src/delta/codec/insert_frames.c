/* Inserted call frame information: records of a function each, told field by field. What a field is
 * likely to be follows from the record before and from where the functions are now. */
#include "delta/codec/state.h"

enum frame_field {
        FRAME_LENGTH,
        FRAME_ENTRY,
        FRAME_COMMON, /* a common information entry */
        FRAME_CODE,
        FRAME_SIZE,
        FRAME_AUGMENTATION_SIZE,
        FRAME_AUGMENTATION,
        FRAME_INSTRUCTION,
        FRAME_OPERAND,
};

#define RECORD_MAX 100000
#define RECORD_SEEN 512 /* of a longer record the rest is told as plain bytes */

/* What is known of the byte that comes next. */
struct frame_byte {
        enum frame_field field;
        unsigned byte;         /* of the field */
        uint32_t forecasts[2]; /* of the whole field */
        bool has_forecast;
        uint32_t so_far; /* instructions of the record, as a hash */
};

static uint64_t address_at(struct su_codec *codec, uint64_t position)
{
        uint64_t address = 0;

        (void)su_elf_address(&codec->shape, position, &address);
        return address;
}

/* The end of the function that a record tells of. */
static uint64_t function_end(struct su_codec *codec, uint64_t record)
{
        struct su_window *window = &codec->window;

        return address_at(codec, record + 8) +
               (uint64_t)su_sign_extend(su_window_get32(window, record + 8), 32) +
               su_window_get32(window, record + 12);
}

/* The last record that begins before the gap: by going on from the last one that was seen; when
 * that is out of sight, by the old one, which was copied. */
static void begin(struct su_codec *codec, const struct su_gap *gap)
{
        const struct su_block *block = gap->before ? su_codec_block(codec, gap->before - 1) : NULL;

        if (codec->frames.begun && codec->frames.record <= gap->start &&
            gap->start - codec->frames.record <= SU_WINDOW_KEEP)
                return;
        codec->frames.record = gap->start;
        codec->frames.begun = true;
        codec->frames.entry_known = codec->frames.previous_known = false;
        for (size_t i = block ? block->n_references : 0; i > 0; i--) {
                const struct su_reference *reference = &block->references[i - 1];
                uint64_t back = gap->before - reference->offset + 4;

                if (reference->kind != SU_CIE32 || reference->offset >= gap->before)
                        continue;
                if (back <= gap->start && su_window_has(&codec->window, gap->start - back, 8))
                        codec->frames.record = gap->start - back;
                return;
        }
}

/* Walk on to the record that holds `position`. */
static void advance(struct su_codec *codec, uint64_t position)
{
        struct su_window *window = &codec->window;

        while (codec->frames.record + 8 <= position) {
                uint64_t record = codec->frames.record;
                uint32_t length = su_window_get32(window, record);

                if (length < 4 || length > RECORD_MAX) {
                        codec->frames.record = position;
                        codec->frames.previous_known = false;
                        return;
                }
                if (record + 4 + length > position)
                        return;
                if (su_window_get32(window, record + 4) == 0) {
                        codec->frames.entry = record;
                        codec->frames.entry_known = true;
                } else {
                        codec->frames.entry = record + 4 - su_window_get32(window, record + 4);
                        codec->frames.entry_known = true;
                        codec->frames.previous = record;
                        codec->frames.previous_known = true;
                }
                codec->frames.record = record + 4 + length;
        }
}

/* Bytes of operands behind a DW_CFA opcode; those of variable length have one that tells. */
static unsigned operand_bytes(uint8_t opcode, uint8_t next)
{
        switch (opcode >> 6) {
        case 1:
        case 3:
                return 0;
        case 2:
                return 1;
        default:
                break;
        }
        switch (opcode) {
        case 0x02: /* advance_loc1 */
        case 0x06:
        case 0x07:
        case 0x08:
        case 0x0d:
        case 0x0e:
        case 0x2e:
                return 1;
        case 0x03: /* advance_loc2 */
        case 0x05:
        case 0x09:
        case 0x0c:
        case 0x11:
        case 0x12:
        case 0x14:
                return 2;
        case 0x04: /* advance_loc4 */
                return 4;
        case 0x0f: /* expressions: a length, then as many bytes */
                return next + 1U;
        case 0x10:
        case 0x16:
                return next + 2U;
        default:
                return 0;
        }
}

static void find_instruction(struct su_codec *codec, uint64_t at, uint64_t position,
                             struct frame_byte *ret)
{
        struct su_window *window = &codec->window;
        uint8_t opcode = 0;

        ret->field = FRAME_INSTRUCTION;
        while (at < position) {
                unsigned operands;

                opcode = su_window_byte(window, at++);
                ret->so_far = su_hash(ret->so_far, opcode);
                operands = operand_bytes(opcode, at < position ? su_window_byte(window, at) : 0);
                if (at + operands > position) {
                        ret->field = FRAME_OPERAND;
                        ret->byte = (unsigned)(position - at);
                        break;
                }
                at += operands;
        }
        ret->so_far = su_hash(ret->so_far, opcode) ^ (uint32_t)opcode << 8;
}

/* Where the function after the gap begins now, by the first old record behind it. */
static uint64_t next_function(struct su_codec *codec, uint64_t after)
{
        const struct su_block *block = su_codec_block(codec, after);
        struct su_forecast forecast;

        for (size_t i = 0; block && i < block->n_references; i++) {
                const struct su_reference *reference = &block->references[i];

                if (reference->offset < after || reference->kind != SU_DISTANCE32 ||
                    i + 1 == block->n_references || reference[1].kind != SU_SIZE32)
                        continue;
                forecast = su_codec_forecast(codec, reference->kind, reference->target);
                return forecast.known ? forecast.value : 0;
        }
        return 0;
}

static void forecast_code(struct su_codec *codec, struct frame_byte *ret)
{
        uint64_t end, here = address_at(codec, codec->frames.record + 8);

        if (!codec->frames.previous_known)
                return;
        end = function_end(codec, codec->frames.previous);
        ret->has_forecast = true;
        ret->forecasts[0] = (uint32_t)(((end + 15) & ~UINT64_C(15)) - here);
        ret->forecasts[1] = (uint32_t)(end - here);
}

static void forecast_size(struct su_codec *codec, uint64_t next, struct frame_byte *ret)
{
        uint64_t record = codec->frames.record;
        uint64_t code = address_at(codec, record + 8) +
                        (uint64_t)su_sign_extend(su_window_get32(&codec->window, record + 8), 32);

        if (next <= code || next - code > 0x20000)
                return;
        ret->has_forecast = true;
        ret->forecasts[0] = ret->forecasts[1] = (uint32_t)(next - code);
}

static void look_at(struct su_codec *codec, uint64_t position, uint64_t next,
                    struct frame_byte *ret)
{
        uint64_t record = codec->frames.record, offset = position - record;
        uint8_t augmentation = su_window_byte(&codec->window, record + 16);

        *ret = (struct frame_byte){.byte = (unsigned)(offset & 3)};
        if (offset < 4) {
                ret->field = FRAME_LENGTH;
        } else if (offset < 8) {
                ret->field = FRAME_ENTRY;
                ret->has_forecast = codec->frames.entry_known;
                ret->forecasts[0] = ret->forecasts[1] =
                        (uint32_t)(record + 4 - codec->frames.entry);
        } else if (su_window_get32(&codec->window, record + 4) == 0 || offset > RECORD_SEEN) {
                ret->field = FRAME_COMMON;
                ret->byte = offset > 31 ? 31 : (unsigned)offset;
        } else if (offset < 12) {
                ret->field = FRAME_CODE;
                forecast_code(codec, ret);
        } else if (offset < 16) {
                ret->field = FRAME_SIZE;
                forecast_size(codec, next, ret);
        } else if (offset == 16) {
                ret->field = FRAME_AUGMENTATION_SIZE;
        } else if (offset < 17U + augmentation) {
                ret->field = FRAME_AUGMENTATION;
                ret->byte = (unsigned)offset - 17;
        } else {
                find_instruction(codec, record + 17 + augmentation, position, ret);
        }
}

/* Whether the bytes of the field so far are those of the forecast. */
static bool keeps_to(struct su_codec *codec, uint64_t position, const struct frame_byte *byte,
                     unsigned which)
{
        for (unsigned i = 0; i < byte->byte && i < 4; i++)
                if (su_window_byte(&codec->window, position - byte->byte + i) !=
                    (uint8_t)(byte->forecasts[which] >> (8 * i)))
                        return false;
        return true;
}

static uint8_t old_byte(const struct su_codec *codec, uint64_t offset)
{
        return offset < codec->part->old_size ? codec->part->old[offset] : 0;
}

static uint8_t code_frame_byte(struct su_codec *codec, const struct su_gap *gap, uint64_t position,
                               const struct frame_byte *byte, uint8_t value)
{
        struct su_window *window = &codec->window;
        uint64_t record = codec->frames.record, offset = position - record;
        uint32_t length = offset >= 4 ? su_window_get32(window, record) : 0;
        uint32_t left = offset < 4                           ? 0
                        : offset + 31 > 4 + (uint64_t)length ? (uint32_t)(4 + length - offset)
                                                             : 31;
        uint8_t a = su_window_byte(window, position - 1), b = su_window_byte(window, position - 2);
        uint8_t c = su_window_byte(window, position - 3), d = su_window_byte(window, position - 4);
        uint8_t forward = old_byte(codec, gap->before + (position - gap->start));
        uint8_t backward = old_byte(codec, gap->after - (gap->end - position));
        uint8_t previous = codec->frames.previous_known
                                   ? su_window_byte(window, codec->frames.previous + offset)
                                   : 0;
        unsigned shift = 8 * (byte->byte & 3);
        uint32_t q = su_hash((uint32_t)byte->field * 8 + (byte->byte & 7), 0x700);
        uint32_t state = byte->has_forecast ? 1 + keeps_to(codec, position, byte, 0) +
                                                      2 * keeps_to(codec, position, byte, 1)
                                            : 0;
        uint32_t first = byte->forecasts[0] >> shift & 0xff;
        uint32_t second = byte->forecasts[1] >> shift & 0xff, two = a | (uint32_t)b << 8;
        struct su_question question = {
                .n = 13,
                .set = SU_SET_FRAMES + (unsigned)byte->field * 4 + (byte->byte & 3),
                .contexts = {su_hash(su_hash(q, state), su_hash(first, 1)),
                             su_hash(su_hash(q, two), 2),
                             su_hash(su_hash(q, two | (uint32_t)c << 16), su_hash(d, 3)),
                             su_hash(su_hash(q, byte->so_far), 4),
                             su_hash(su_hash(q, forward), su_hash(backward, 5)),
                             su_hash(su_hash(q, previous), su_hash(a, 6)),
                             su_hash(su_hash(q, left), su_hash(a, 7)),
                             su_hash(su_hash(q, byte->so_far), su_hash(left, 8)), su_hash(q, 9),
                             su_hash(su_hash(q, (uint32_t)offset), su_hash(a, 10)),
                             su_hash(su_hash(q, forward), su_hash(byte->so_far, 11)),
                             su_hash(su_hash(q, backward), su_hash(byte->so_far, 12)),
                             su_hash(su_hash(q, state), su_hash(second, 13))},
        };

        return (uint8_t)su_model_symbol(codec->model, &question, value, 8);
}

int su_codec_insert_frames(struct su_codec *codec, const struct su_gap *gap, struct su_error *err)
{
        uint64_t next = next_function(codec, gap->after);

        codec->coder->stream = SU_STREAM_INSERTS;
        begin(codec, gap);
        for (uint64_t position = gap->start; position < gap->end; position++) {
                struct frame_byte byte;
                uint8_t value = su_codec_encodes(codec) ? codec->part->want[position] : 0;
                int r;

                advance(codec, position);
                look_at(codec, position, next, &byte);
                value = code_frame_byte(codec, gap, position, &byte, value);
                r = su_window_append(&codec->window, &value, 1, err);
                codec->window.settled = codec->window.end;
                if (r >= 0)
                        r = su_codec_check(codec, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
