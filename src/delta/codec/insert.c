/* Inserted bytes. Code is told instruction by instruction: each byte in the light of what it is
 * within its instruction, of the instructions before it, and of the old bytes in whose place it
 * stands. Addresses are told as such (targets.c). */
#include <stdlib.h>

#include "delta/codec/state.h"

#define INSTRUCTION_MAX 15
#define LOOK_BACK 24 /* bytes behind which the decoder falls in step with the copy before */
#define REHEARSAL (64 * 1024)
#define REHEARSAL_PARTS 8

/* x86: the instruction that is being inserted, and what came before it. */
struct x86_state {
        uint8_t bytes[16];
        unsigned n;
        uint32_t instructions[2]; /* opcodes and modrm of the last two */
};

struct insertion {
        struct su_codec *codec;
        const struct su_gap *gap;
        struct x86_state x86;
        bool is_code;
};

static uint32_t hash_bytes(const uint8_t *bytes, unsigned n)
{
        uint32_t hash = 0;

        for (unsigned i = 0; i < n; i++)
                hash = su_hash(hash, bytes[i] + 1U);
        return hash;
}

/* The bytes that say what an instruction is: up to its modrm byte. */
static uint32_t identify(const uint8_t *bytes, const struct su_x86_instruction *parts)
{
        unsigned n = (parts->modrm_at ? parts->modrm_at : parts->opcode_at) + 1U;

        return hash_bytes(bytes, n > parts->length ? parts->length : n);
}

static void x86_push(struct x86_state *state, uint8_t byte)
{
        struct su_x86_instruction parts;
        int length;

        state->bytes[state->n++] = byte;
        length = su_x86_decode(state->bytes, state->n, &parts);
        if (length > 0) {
                state->instructions[1] = state->instructions[0];
                state->instructions[0] = identify(state->bytes, &parts);
        }
        if (length >= 0 || state->n >= INSTRUCTION_MAX)
                state->n = 0;
}

/* What the next byte is, and which of its field. */
static enum su_field next_field(const struct x86_state *state, struct su_x86_instruction *parts,
                                unsigned *ret_byte)
{
        unsigned n = state->n;

        (void)su_x86_decode(state->bytes, n, parts);
        *ret_byte = 0;
        if (parts->immediate_at && n >= parts->immediate_at) {
                *ret_byte = n - parts->immediate_at;
                return parts->immediate_size == 1   ? SU_FIELD_IMMEDIATE8
                       : parts->immediate_size <= 4 ? SU_FIELD_IMMEDIATE32
                                                    : SU_FIELD_IMMEDIATE64;
        }
        if (parts->displacement_at && n >= parts->displacement_at) {
                *ret_byte = n - parts->displacement_at;
                return parts->displacement_size == 1 ? SU_FIELD_DISPLACEMENT8
                                                     : SU_FIELD_DISPLACEMENT32;
        }
        if (parts->sib_at && n >= parts->sib_at)
                return SU_FIELD_SIB;
        if (parts->modrm_at && n >= parts->modrm_at)
                return SU_FIELD_MODRM;
        return n == 0 ? SU_FIELD_START : SU_FIELD_OPCODE;
}

struct before {
        uint8_t bytes[6]; /* the last first */
};

static unsigned code_plain_byte(struct su_model *model, const struct before *before,
                                const struct x86_state *x86, uint32_t phase, unsigned set,
                                const uint8_t old[2], unsigned value, bool rehearsal)
{
        const uint8_t *b = before->bytes;
        uint32_t two = b[0] | (uint32_t)b[1] << 8, three = two | (uint32_t)b[2] << 16;
        uint32_t four = three | (uint32_t)b[3] << 24, so_far = hash_bytes(x86->bytes, x86->n);
        uint32_t last = x86->instructions[0], one_before = x86->instructions[1];
        uint32_t places = old[0] | (uint32_t)old[1] << 8;
        struct su_question question = {
                .n = 13,
                .set = set,
                .rehearsal = rehearsal,
                .contexts = {su_hash(phase, 0x200), su_hash(b[0], su_hash(phase, 0x201)),
                             su_hash(two, 0x202), su_hash(three, 0x203), su_hash(four, 0x204),
                             su_hash(su_hash(four, b[4] | (uint32_t)b[5] << 8), 0x205),
                             su_hash(so_far, su_hash(phase, 0x206)),
                             su_hash(su_hash(so_far, x86->n < 6 ? b[x86->n] : 0), 0x207),
                             su_hash(places, su_hash(phase, 0x208)),
                             su_hash(su_hash(old[1], b[0]), su_hash(phase, 0x209)),
                             su_hash(su_hash(so_far, last), su_hash(phase, 0x20a)),
                             su_hash(su_hash(so_far, last), su_hash(one_before, 0x20b)),
                             su_hash(su_hash(x86->n ? x86->bytes[x86->n - 1] : 0U, last),
                                     su_hash(one_before, su_hash(phase, 0x20c)))},
        };

        return su_model_symbol(model, &question, value, 8);
}

static unsigned set_of(enum su_field field, unsigned byte)
{
        return SU_SET_INSERT + (unsigned)(field == SU_FIELD_START ? 10 : field) * 8 + (byte & 7);
}

static void look_before(struct su_codec *codec, struct before *ret)
{
        for (unsigned i = 0; i < 6; i++)
                ret->bytes[i] = su_window_byte(&codec->window, codec->window.end - 1 - i);
}

/* The old bytes where this one would be if the gap were filled from its begin, and from its end. */
static void look_aside(const struct insertion *insertion, uint64_t position, unsigned size,
                       uint32_t ret[2])
{
        const struct su_part *part = insertion->codec->part;
        uint64_t forward = insertion->gap->before + (position - insertion->gap->start);
        uint64_t backward = insertion->gap->after - (insertion->gap->end - position);

        ret[0] = ret[1] = 0;
        if (forward < part->old_size && size <= part->old_size - forward)
                memcpy(&ret[0], part->old + forward, size);
        if (backward < part->old_size && size <= part->old_size - backward)
                memcpy(&ret[1], part->old + backward, size);
        ret[0] = le32toh(ret[0]);
        ret[1] = le32toh(ret[1]);
}

static int append(struct su_codec *codec, const uint8_t *bytes, size_t size, struct su_error *err)
{
        int r = su_window_append(&codec->window, bytes, size, err);

        codec->window.settled = codec->window.end;
        return r;
}

/* ---- x86-64 ---- */

/* Bytes from the displacement to the instruction's end. An immediate behind it is of known size. */
static unsigned reach(const struct x86_state *state)
{
        uint8_t padded[32] = {0};
        struct su_x86_instruction parts;
        int length;

        memcpy(padded, state->bytes, state->n);
        length = su_x86_decode(padded, sizeof padded, &parts);
        return length > (int)state->n ? (unsigned)length - state->n : 4;
}

static int address_class(const struct x86_state *state, const struct su_x86_instruction *parts)
{
        if (parts->relative == SU_X86_CALL32)
                return 0;
        if (parts->relative == SU_X86_JUMP32 && state->bytes[parts->opcode_at] == 0xe9 &&
            parts->map == 0)
                return 1;
        return parts->relative == SU_X86_RIP ? 2 : -1;
}

/* Whether the address is one that targets can tell: coded, because it may not be. */
static bool code_plausible(struct su_codec *codec, unsigned class, bool plausible)
{
        struct su_question question = {
                .n = 1, .set = SU_SET_FLAGS + 5, .contexts = {su_hash(class, 0x350)}};

        return su_model_bit(codec->model, &question, plausible, NULL, 0);
}

/* *ret_done: the displacement was told as an address. */
static int insert_displacement(struct insertion *insertion, unsigned class, bool *ret_done,
                               struct su_error *err)
{
        struct su_codec *codec = insertion->codec;
        struct x86_state *state = &insertion->x86;
        uint64_t position = codec->window.end, here, target = 0;
        unsigned behind = reach(state);
        uint8_t bytes[4];
        uint32_t before;

        *ret_done = false;
        if (codec->targets.bits == 0 || position + 4 > insertion->gap->end ||
            !su_elf_address(&codec->shape, position, &here))
                return 0;
        if (su_codec_encodes(codec))
                target = here + behind + su_get32_signed(codec->part->want + position);
        codec->coder->stream = SU_STREAM_TARGETS;
        if (!code_plausible(codec, class, target >> codec->targets.bits == 0))
                return 0;
        before = su_window_get32(&codec->window, position - state->n - 4);
        target = su_codec_target(codec, class, target, hash_bytes(state->bytes, state->n), before,
                                 0);
        su_put32(bytes, (uint32_t)(target - here - behind));
        for (unsigned i = 0; i < 4; i++)
                x86_push(state, bytes[i]);
        *ret_done = true;
        return append(codec, bytes, 4, err);
}

static int insert_x86_byte(struct insertion *insertion, struct su_error *err)
{
        struct su_codec *codec = insertion->codec;
        uint64_t position = codec->window.end;
        struct su_x86_instruction parts;
        struct before before;
        uint32_t aside[2];
        unsigned byte;
        enum su_field field = next_field(&insertion->x86, &parts, &byte);
        uint8_t value = 0;

        if (field == SU_FIELD_DISPLACEMENT32 && byte == 0) {
                int class = address_class(&insertion->x86, &parts);
                bool done = false;
                int r = class < 0 ? 0 : insert_displacement(insertion, (unsigned)class, &done, err);

                if (r < 0 || done)
                        return r;
        }
        if (su_codec_encodes(codec))
                value = codec->part->want[position];
        codec->coder->stream = SU_STREAM_INSERTS;
        look_before(codec, &before);
        look_aside(insertion, position, 1, aside);
        value = (uint8_t)code_plain_byte(codec->model, &before, &insertion->x86,
                                         field * 16 + (byte & 15), set_of(field, byte),
                                         (uint8_t[2]){(uint8_t)aside[0], (uint8_t)aside[1]}, value,
                                         false);
        x86_push(&insertion->x86, value);
        return append(codec, &value, 1, err);
}

/* The instructions just before the gap: from the first one that begins where an old one did. */
static void fall_in_step(struct insertion *insertion)
{
        struct su_codec *codec = insertion->codec;
        uint64_t end = codec->window.end, old = insertion->gap->before;
        uint64_t at = end > LOOK_BACK ? end - LOOK_BACK : 0;

        if (old < end - at)
                return;
        old -= end - at;
        while (at < end && !(su_codec_field(codec, old) & SU_FIELD_START)) {
                at++;
                old++;
        }
        for (; at < end; at++)
                x86_push(&insertion->x86, su_window_byte(&codec->window, at));
}

/* ---- AArch64 ---- */

struct a64_context {
        uint32_t words[3]; /* the last first */
        uint32_t aside[2];
};

static unsigned code_word_byte(struct su_model *model, const struct a64_context *context,
                               uint32_t upper, unsigned byte, unsigned value, bool rehearsal)
{
        uint32_t w1 = context->words[0], w2 = context->words[1], w3 = context->words[2];
        uint32_t o1 = w1 >> 21, o2 = w2 >> 21, o3 = w3 >> 21;
        uint32_t q = su_hash(byte == 3 ? 0 : upper >> (8 * (byte + 1)), 0x500 + byte);
        uint32_t over = byte < 3 ? context->aside[1] >> (8 * byte + 8) & 0xff : 0;
        struct su_question question = {
                .n = 11,
                .set = SU_SET_A64 + byte,
                .rehearsal = rehearsal,
                .contexts = {q, su_hash(q, o1), su_hash(su_hash(q, o1), o2),
                             su_hash(su_hash(q, w1), 1), su_hash(su_hash(q, w1), w2),
                             su_hash(su_hash(su_hash(q, o1), o2), o3),
                             su_hash(su_hash(q, w1 & 31), su_hash(w1 >> 24, 2)),
                             su_hash(su_hash(q, w1 & 0x3ff), su_hash(w2 & 0x3ff, 3)),
                             su_hash(su_hash(q, context->aside[0]), 4),
                             su_hash(su_hash(q, context->aside[1] >> (8 * byte) & 0xff),
                                     su_hash(over, 5)),
                             su_hash(su_hash(q, w2 & 31), su_hash(w1 & 31, 6))},
        };

        return su_model_symbol(model, &question, value, 8);
}

static uint32_t code_register(struct su_codec *codec, const struct a64_context *context,
                              uint32_t value)
{
        struct su_question question = {
                .n = 3,
                .set = SU_SET_FLAGS + 6,
                .contexts = {su_hash(0x510, 0), su_hash(0x511, context->words[0] >> 21),
                             su_hash(0x512, context->words[0] & 31)},
        };

        return su_model_symbol(codec->model, &question, value, 5);
}

/* BL and ADRP: what they refer to. `word` is what is known of it: its opcode; the encoder's whole.
 * True when it was told so. */
static bool code_word_target(struct su_codec *codec, const struct a64_context *context,
                             uint8_t opcode, uint64_t here, uint32_t *word)
{
        enum su_reference_kind kind = (opcode & 0x9f) == 0x90 ? SU_PAGE21 : SU_BRANCH26;
        unsigned class = kind == SU_PAGE21;
        uint8_t bytes[4];
        uint64_t target;
        uint32_t b = context->words[0] >> 16;

        su_put32(bytes, *word);
        target = su_reference_read(bytes, kind, 0, here, 0);
        codec->coder->stream = SU_STREAM_TARGETS;
        if (!code_plausible(codec, 8 + class, target >> codec->targets.bits == 0))
                return false;
        *word = UINT32_C(0x94000000);
        if (kind == SU_PAGE21) {
                b = code_register(codec, context, bytes[0] & 31);
                *word = UINT32_C(0x90000000) | b;
        }
        target = su_codec_target(codec, class, target, su_hash(context->words[0], 1), b,
                                 kind == SU_PAGE21 ? 12 : 2);
        su_put32(bytes, *word);
        su_reference_write(bytes, kind, 0, here, 0, target);
        *word = su_get32(bytes);
        return true;
}

static int insert_word(struct insertion *insertion, struct su_error *err)
{
        struct su_codec *codec = insertion->codec;
        uint64_t position = codec->window.end, here;
        struct a64_context context;
        uint32_t word = su_codec_encodes(codec) ? su_get32(codec->part->want + position) : 0;
        uint32_t upper = 0;
        uint8_t bytes[4];

        for (unsigned i = 0; i < 3; i++)
                context.words[i] = su_window_get32(&codec->window, position - 4 - 4 * i);
        look_aside(insertion, position, 4, context.aside);
        for (unsigned byte = 4; byte-- > 0;) {
                unsigned value;

                codec->coder->stream = SU_STREAM_INSERTS;
                value = code_word_byte(codec->model, &context, upper, byte,
                                       word >> (8 * byte) & 0xff, false);
                upper |= value << (8 * byte);
                if (byte == 3 && codec->targets.bits &&
                    ((value & 0xfc) == 0x94 || (value & 0x9f) == 0x90) &&
                    su_elf_address(&codec->shape, position, &here)) {
                        uint32_t told = word;

                        /* The opcode's other bits are coded with the target. */
                        if (code_word_target(codec, &context, (uint8_t)value, here, &told)) {
                                upper = told;
                                break;
                        }
                }
        }
        su_put32(bytes, upper);
        return append(codec, bytes, 4, err);
}

/* ---- rehearsal ---- */

static void rehearse_x86(struct su_codec *codec, uint64_t start, uint64_t end)
{
        const uint8_t *old = codec->part->old;
        struct x86_state state = {0};

        for (uint64_t at = start; at < end; at++) {
                struct su_x86_instruction parts;
                struct before before = {0};
                unsigned byte;
                enum su_field field = next_field(&state, &parts, &byte);

                for (unsigned i = 0; i < 6 && i < at; i++)
                        before.bytes[i] = old[at - 1 - i];
                if (field != SU_FIELD_DISPLACEMENT32 || parts.relative == SU_X86_NONE)
                        (void)code_plain_byte(codec->model, &before, &state,
                                              field * 16 + (byte & 15), set_of(field, byte),
                                              (uint8_t[2]){0}, old[at], true);
                x86_push(&state, old[at]);
        }
}

static void rehearse_a64(struct su_codec *codec, uint64_t start, uint64_t end)
{
        const uint8_t *old = codec->part->old;

        for (uint64_t at = start & ~UINT64_C(3); at + 4 <= end; at += 4) {
                uint32_t word = su_get32(old + at), upper = 0;
                struct a64_context context = {0};

                if ((word & 0xfc000000) == 0x94000000 || (word & 0x9f000000) == 0x90000000)
                        continue;
                for (unsigned i = 0; i < 3 && 4 * (i + 1) <= at; i++)
                        context.words[i] = su_get32(old + at - 4 * (i + 1));
                for (unsigned byte = 4; byte-- > 0;)
                        upper |= code_word_byte(codec->model, &context, upper, byte,
                                                word >> (8 * byte) & 0xff, true)
                                 << (8 * byte);
        }
}

static const struct su_elf_section *largest_code(const struct su_elf *elf)
{
        const struct su_elf_section *largest = NULL;

        for (size_t i = 0; i < elf->n_sections; i++)
                if (elf->sections[i].role == SU_ELF_CODE &&
                    (!largest || elf->sections[i].size > largest->size))
                        largest = &elf->sections[i];
        return largest;
}

void su_codec_rehearse(struct su_codec *codec)
{
        const struct su_elf_section *code = largest_code(&codec->part->module->elf);
        uint64_t size = codec->inserted / 1024 * 4096, part;

        if (!code)
                return;
        size = size < REHEARSAL ? size : REHEARSAL;
        part = (size < code->size ? size : code->size) / REHEARSAL_PARTS;
        for (uint64_t i = 0; i < REHEARSAL_PARTS; i++) {
                uint64_t start = code->offset + code->size / REHEARSAL_PARTS * i;

                if (codec->part->module->elf.machine == EM_X86_64)
                        rehearse_x86(codec, start, start + part);
                else
                        rehearse_a64(codec, start, start + part);
        }
}

/* ---- */

static int insert_data_byte(struct insertion *insertion, struct su_error *err)
{
        struct su_codec *codec = insertion->codec;
        uint64_t position = codec->window.end;
        uint8_t value = su_codec_encodes(codec) ? codec->part->want[position] : 0;
        struct before before;
        uint32_t aside[2];

        codec->coder->stream = SU_STREAM_INSERTS;
        look_before(codec, &before);
        look_aside(insertion, position, 1, aside);
        value = (uint8_t)code_plain_byte(
                codec->model, &before, &insertion->x86, SU_FIELD_NONE * 16 + (position & 7),
                set_of(SU_FIELD_NONE, position & 7),
                (uint8_t[2]){(uint8_t)aside[0], (uint8_t)aside[1]}, value, false);
        return append(codec, &value, 1, err);
}

static bool frames_around(const struct su_codec *codec, const struct su_gap *gap)
{
        const struct su_elf *elf = &codec->part->module->elf;
        size_t i = gap->before ? su_elf_section_at(elf, gap->before - 1) : 0;

        for (; i < elf->n_sections && elf->sections[i].offset <= gap->before; i++) {
                const struct su_elf_section *section = &elf->sections[i];

                if (section->role == SU_ELF_EH_FRAME && gap->before >= section->offset &&
                    gap->after > section->offset && gap->after <= section->offset + section->size)
                        return true;
        }
        return false;
}

/* What the next byte is part of. */
static int insert_next(struct insertion *insertion, uint16_t machine, struct su_error *err)
{
        uint64_t position = insertion->codec->window.end;

        if (insertion->is_code && machine == EM_X86_64)
                return insert_x86_byte(insertion, err);
        if (insertion->is_code && position % 4 == 0 && position + 4 <= insertion->gap->end)
                return insert_word(insertion, err);
        return insert_data_byte(insertion, err);
}

int su_codec_insert(struct su_codec *codec, const struct su_gap *gap, struct su_error *err)
{
        const struct su_module *module = codec->part->module;
        uint16_t machine = module ? module->elf.machine : EM_NONE;
        struct insertion insertion = {.codec = codec, .gap = gap};
        int r = 0;

        su_codec_note_place(codec, gap->before ? gap->before - 1 : 0);
        if (module && frames_around(codec, gap))
                return su_codec_insert_frames(codec, gap, err);
        insertion.is_code = (gap->before && su_codec_is_code(codec, gap->before - 1)) ||
                            su_codec_is_code(codec, gap->before);
        if (insertion.is_code && machine == EM_X86_64)
                fall_in_step(&insertion);
        while (codec->window.end < gap->end && r >= 0) {
                r = insert_next(&insertion, machine, err);
                if (r >= 0)
                        r = su_codec_check(codec, err);
        }
        return r;
}
