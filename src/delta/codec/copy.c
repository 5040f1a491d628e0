/* A copy: chunk by chunk, first whether all in it is as foretold; if not, which references are not,
 * then which bytes differ besides. */
#include <stdlib.h>

#include "delta/codec/state.h"

#define CHUNK_REFERENCES SU_CHUNK

struct copy {
        struct su_codec *codec;
        const struct su_operation *operation;
        uint64_t staged;       /* bytes of the copy that are in the window */
        unsigned dirty_chunks; /* the last ones, the last in the lowest bit */
        bool first_reference;
        bool stripe[2];                 /* whether the last two stripes were dirty */
        unsigned since_change, changes; /* bytes since the last change; the last ones as bits */
};

struct chunk {
        uint64_t start, end; /* within the copy */
        struct su_reference references[CHUNK_REFERENCES];
        size_t n;
        bool missed[SU_CHUNK / SU_STRIPE + 1]; /* stripes with a reference that was not foretold */
};

static uint64_t new_position(const struct copy *copy, uint64_t old_offset)
{
        return old_offset - copy->operation->from + copy->operation->to;
}

/* In a table that is made rather than told there is nothing to foretell. */
static bool codec_omits(const struct su_codec *codec, const struct su_reference *reference)
{
        return reference->offset >= codec->old_index && reference->offset < codec->old_index_end;
}

/* The references that begin in the chunk and end in the copy. */
static void gather(struct copy *copy, struct chunk *chunk)
{
        const struct su_operation *operation = copy->operation;
        uint64_t at = operation->from + chunk->start, end = operation->from + chunk->end;
        uint64_t limit = (uint64_t)operation->from + operation->length;

        chunk->n = 0;
        while (at < end) {
                const struct su_block *block = su_codec_block(copy->codec, at);
                size_t low = 0, high;

                if (!block)
                        return;
                for (high = block->n_references; low < high;) {
                        size_t middle = (low + high) / 2;

                        if (block->references[middle].offset < at)
                                low = middle + 1;
                        else
                                high = middle;
                }
                for (; low < block->n_references && block->references[low].offset < end; low++) {
                        const struct su_reference *reference = &block->references[low];

                        if (codec_omits(copy->codec, reference))
                                continue;
                        if (reference->offset + su_reference_width(reference->kind) <= limit)
                                chunk->references[chunk->n++] = *reference;
                }
                at = block->end;
        }
}

/* Bring the copy's bytes into the window, up to a little behind the chunk: for fields at its end.
 */
static int stage(struct copy *copy, uint64_t end, struct su_error *err)
{
        const struct su_operation *operation = copy->operation;
        uint64_t size;

        end += 8;
        if (end > operation->length)
                end = operation->length;
        if (end <= copy->staged)
                return 0;
        size = end - copy->staged;
        copy->staged = end;
        return su_window_append(&copy->codec->window,
                                copy->codec->part->old + operation->from + (end - size), size, err);
}

/* ---- references ---- */

/* What is known of a reference before its new value is. */
struct guess {
        const struct su_reference *reference;
        uint64_t position; /* of its field in the new file */
        uint64_t at, base; /* their address, or offset */
        uint64_t projected, remembered;
        bool usable, is_remembered, covered, moves_along;
        uint64_t key; /* in the memory */
};

/* How far the new value is from what was expected, in the units of the kind; and the reverse. */
static int64_t correction_of(const struct su_reference *reference, uint64_t value,
                             uint64_t expected)
{
        int64_t difference = (int64_t)(value - expected);

        switch (reference->kind) {
        case SU_INDEX32:
                return difference / (reference->extra ? reference->extra : 1);
        case SU_PAGE21:
                return (int64_t)((value >> 12) - (expected >> 12));
        case SU_LOW12:
                return (int64_t)((value & 0xfff) >> reference->extra) -
                       (int64_t)((expected & 0xfff) >> reference->extra);
        default:
                return difference;
        }
}

static uint64_t correct(const struct su_reference *reference, uint64_t expected, int64_t correction)
{
        switch (reference->kind) {
        case SU_INDEX32:
                return expected + (uint64_t)correction * reference->extra;
        case SU_PAGE21:
                return expected + ((uint64_t)correction << 12);
        case SU_LOW12:
                return (expected & ~UINT64_C(0xfff)) |
                       ((((expected & 0xfff) >> reference->extra) + (uint64_t)correction)
                                << reference->extra &
                        0xfff);
        default:
                return expected + (uint64_t)correction;
        }
}

static uint64_t current_base(struct su_codec *codec, const struct su_reference *reference)
{
        if (!codec->base_known || codec->base != reference->base) {
                codec->base = reference->base;
                codec->base_now = su_codec_forecast(codec, reference->kind, reference->base).value;
                codec->base_known = true;
        }
        return codec->base_now;
}

static uint64_t base_of(struct copy *copy, const struct su_reference *reference, uint64_t position,
                        uint64_t at)
{
        struct su_window *window = &copy->codec->window;
        uint64_t field = position - reference->extra;

        switch (reference->kind) {
        case SU_SIZE32: /* what the field before it refers to */
                return at - 4 + (uint64_t)su_sign_extend(su_window_get32(window, field), 32);
        case SU_SIZE64:
                return su_window_has(window, field, 8) ? su_get64(su_window_at(window, field)) : 0;
        case SU_BASED32:
        case SU_INDEX32:
        case SU_STRING32:
                return current_base(copy->codec, reference);
        default:
                return 0;
        }
}

/* BASED32 counts from addresses, the others with a base from offsets; caches do not mix, because a
 * base belongs to one kind alone. */
static void guess_reference(struct copy *copy, const struct su_reference *reference,
                            struct guess *ret)
{
        struct su_codec *codec = copy->codec;
        bool offsets = su_reference_is_offset(reference->kind) || reference->kind == SU_INDEX32;
        struct su_forecast forecast = su_codec_forecast(codec, reference->kind, reference->target);
        const uint64_t *remembered;

        *ret = (struct guess){.reference = reference,
                              .position = new_position(copy, reference->offset),
                              .projected = forecast.value,
                              .covered = forecast.known && forecast.covered};
        ret->usable = su_elf_address(&codec->shape, ret->position, &ret->at) || offsets ||
                      reference->kind == SU_ADDRESS64;
        ret->moves_along = ret->covered &&
                           forecast.span->shift ==
                                   (int64_t)copy->operation->to - (int64_t)copy->operation->from;
        ret->base = base_of(copy, reference, ret->position, ret->at);
        if (reference->kind == SU_INDEX32) /* whole steps from the base on */
                ret->projected = correct(reference, ret->base,
                                         correction_of(reference, ret->projected, ret->base));
        ret->key = reference->target * 4 + (unsigned)offsets * 2 +
                   su_reference_is_end(reference->kind) + 4;
        remembered = su_memory_get(&codec->memory, ret->key);
        ret->is_remembered = remembered;
        ret->remembered = remembered ? *remembered : ret->projected;
}

static void write_guess(struct su_codec *codec, const struct guess *guess, uint64_t value)
{
        su_reference_write(su_window_at(&codec->window, guess->position), guess->reference->kind,
                           guess->reference->extra, guess->at, guess->base, value);
}

static int64_t code_correction(struct su_codec *codec, const struct guess *guess,
                               int64_t correction)
{
        unsigned kind = guess->reference->kind;
        unsigned state = !guess->is_remembered ? 0 : guess->remembered == guess->projected ? 1 : 2;
        struct su_question question = {
                .n = 2,
                .set = SU_SET_FLAGS + 2,
                .contexts = {su_hash(99, kind), su_hash(100, kind * 4 + guess->covered)},
        };
        int64_t last = codec->last_corrections[kind];

        if (su_model_bit(codec->model, &question, correction == last && last != 0, NULL, 0))
                return last;
        correction = su_model_signed(codec->model, correction, SU_NUMBER_TARGET_REFERENCE + kind,
                                     guess->covered + 4 * state, codec->misses[kind] & 3);
        codec->last_corrections[kind] = correction;
        return correction;
}

/* The bytes of the field as the encoder wants them, for comparison with what a value would make. */
static bool would_make(struct su_codec *codec, const struct guess *guess, uint64_t value)
{
        const uint8_t *want = codec->part->want + guess->position;
        unsigned width = su_reference_width(guess->reference->kind);
        uint8_t field[8];

        memcpy(field, want, width);
        su_reference_write(field, guess->reference->kind, guess->reference->extra, guess->at,
                           guess->base, value);
        return memcmp(field, want, width) == 0;
}

static struct su_adaptive *hit_state(struct su_codec *codec, const struct guess *guess, bool first)
{
        unsigned memory = !guess->is_remembered ? 0 : guess->remembered == guess->projected ? 1 : 2;
        unsigned kind = guess->reference->kind;

        return &codec->reference_states[kind][memory][guess->covered + 2 * !guess->usable]
                                       [guess->moves_along + 2 * first][codec->misses[kind] & 15];
}

/* One reference: as expected, or as projected after all, or corrected. */
static bool code_value(struct copy *copy, const struct guess *guess, uint64_t *ret)
{
        struct su_codec *codec = copy->codec;
        const struct su_reference *reference = guess->reference;
        bool encodes = su_codec_encodes(codec), hit;
        int64_t correction = 0;

        codec->coder->stream = SU_STREAM_REFERENCES;
        hit = encodes && would_make(codec, guess, guess->remembered);
        hit = su_coder_adaptive(codec->coder, hit_state(codec, guess, copy->first_reference), hit);
        *ret = guess->remembered;
        if (hit)
                return true;
        if (guess->is_remembered && guess->remembered != guess->projected) {
                bool as_projected = encodes && would_make(codec, guess, guess->projected);

                *ret = guess->projected;
                if (su_coder_adaptive(codec->coder,
                                      &codec->choice_states[reference->kind]
                                                           [codec->misses[reference->kind] & 15],
                                      as_projected))
                        return false;
        }
        if (encodes)
                correction = correction_of(reference,
                                           su_reference_read(codec->part->want + guess->position,
                                                             reference->kind, reference->extra,
                                                             guess->at, guess->base),
                                           guess->remembered);
        *ret = correct(reference, guess->remembered, code_correction(codec, guess, correction));
        return false;
}

static int code_reference(struct copy *copy, struct chunk *chunk,
                          const struct su_reference *reference, struct su_error *err)
{
        struct su_codec *codec = copy->codec;
        struct guess guess;
        uint64_t value;
        bool hit;

        guess_reference(copy, reference, &guess);
        hit = code_value(copy, &guess, &value);
        copy->first_reference = false;
        codec->misses[reference->kind] = (uint8_t)(codec->misses[reference->kind] << 1 | !hit);
        if (!hit)
                chunk->missed[(reference->offset - copy->operation->from - chunk->start) /
                              SU_STRIPE] = true;
        write_guess(codec, &guess, value);
        if (!guess.is_remembered && value == guess.projected)
                return 0;
        return su_memory_put(&codec->memory, guess.key, value, err);
}

/* ---- numbers that may be line numbers ---- */

static unsigned log_width(uint32_t value)
{
        return 32 - (unsigned)__builtin_clz(value | 1);
}

static unsigned number_owner(const struct copy *copy, const struct su_reference *reference)
{
        const uint8_t *old = copy->codec->part->old + reference->offset;

        return reference->kind == SU_IMMEDIATE32 ? old[-1] : old[0] & 31;
}

static uint32_t bytes_before(const struct copy *copy, uint32_t offset)
{
        return offset >= 6 ? su_get32(copy->codec->part->old + offset - 5) : 0;
}

static bool code_same_number(struct copy *copy, const struct su_reference *reference,
                             unsigned owner, bool same)
{
        struct su_codec *codec = copy->codec;
        uint32_t value = (uint32_t)reference->target;
        int64_t ahead = (int64_t)value - (int64_t)codec->last_line;
        uint32_t near = ahead < 0 ? 0 : ahead < 64 ? 1 : ahead < 512 ? 2 : 3;
        uint32_t own = codec->line_misses[owner] & 7, all = codec->all_line_misses & 7;
        struct su_question question = {
                .n = 6,
                .set = SU_SET_LINES + all,
                .contexts = {su_hash(owner, su_hash(own, 0x400)),
                             su_hash(su_hash(owner, log_width(value)), su_hash(all, 0x401)),
                             su_hash(su_hash(near, owner), su_hash(own * 8 + all, 0x402)),
                             su_hash(su_hash(value, owner), 0x403),
                             su_hash(copy->first_reference, su_hash(all, 0x404)),
                             su_hash(su_hash(bytes_before(copy, reference->offset), owner),
                                     su_hash(all, 0x405))},
        };

        return su_model_bit(codec->model, &question, same, NULL, 0);
}

/* The change is often the last one, or the one before. */
static int64_t code_change(struct copy *copy, unsigned owner, uint32_t value, int64_t change)
{
        struct su_codec *codec = copy->codec;
        uint32_t all = codec->all_line_misses & 7, own = codec->line_misses[owner] & 7;
        int64_t *last = codec->line_changes;
        struct su_question question = {
                .n = 3,
                .set = SU_SET_FLAGS + 3,
                .contexts = {su_hash(0x410, all), su_hash(0x411, copy->first_reference),
                             su_hash(0x412, su_hash(owner, own))},
        };

        if (su_model_bit(codec->model, &question, change == last[0], NULL, 0)) {
                change = last[0];
        } else {
                for (unsigned i = 0; i < 3; i++)
                        question.contexts[i] += 77;
                question.set = SU_SET_FLAGS + 4;
                if (su_model_bit(codec->model, &question, change == last[1], NULL, 0))
                        change = last[1];
                else
                        change = su_model_signed(codec->model, change, SU_NUMBER_LINES,
                                                 log_width(value), 0);
                last[1] = last[0];
                last[0] = change;
        }
        return change;
}

static void code_number(struct copy *copy, const struct su_reference *reference)
{
        struct su_codec *codec = copy->codec;
        uint64_t position = new_position(copy, reference->offset);
        unsigned owner = number_owner(copy, reference);
        uint32_t value = (uint32_t)reference->target, now = value;
        bool same;

        if (su_codec_encodes(codec))
                now = (uint32_t)su_reference_read(codec->part->want + position, reference->kind, 0,
                                                  0, 0);
        codec->coder->stream = SU_STREAM_REFERENCES;
        same = code_same_number(copy, reference, owner, now == value);
        if (!same) {
                now = value +
                      (uint32_t)code_change(copy, owner, value, (int64_t)now - (int64_t)value);
                codec->last_line = value;
        }
        codec->line_misses[owner] = (uint8_t)(codec->line_misses[owner] << 1 | !same);
        codec->all_line_misses = (uint8_t)(codec->all_line_misses << 1 | !same);
        copy->first_reference = false;
        su_reference_write(su_window_at(&codec->window, position), reference->kind, 0, 0, 0,
                           same ? value : now);
}

/* ---- bytes ---- */

static bool is_written_whole(enum su_reference_kind kind)
{
        return kind < SU_BRANCH26;
}

static bool code_differs(struct copy *copy, uint64_t offset, uint8_t old, uint8_t field,
                         bool differs)
{
        struct su_codec *codec = copy->codec;
        const struct su_operation *operation = copy->operation;
        uint64_t position = new_position(copy, offset);
        uint8_t before = offset ? codec->part->old[offset - 1] : 0;
        uint8_t before_now = su_window_byte(&codec->window, position - 1);
        unsigned distance = copy->since_change > 20 ? 20 : copy->since_change;
        unsigned edge = offset == operation->from                              ? 1
                        : offset == operation->from + operation->length - 1ULL ? 2
                                                                               : 0;
        uint32_t id = su_hash(field, 0x5000);
        struct su_question question = {
                .n = 7,
                .set = SU_SET_BYTES + (distance > 7 ? 7 : distance),
                .contexts = {su_hash(id, distance), su_hash(su_hash(id, 1000 + old), distance > 3),
                             su_hash(su_hash(id, 2000 + old),
                                     before | (uint32_t)(before != before_now) << 8),
                             su_hash(su_hash(5, distance), copy->changes & 7),
                             su_hash(su_hash(id, su_hash(codec->became[field & 15][old], old)),
                                     3000),
                             su_hash(su_hash(id, old), su_hash(before_now, 4000)),
                             su_hash(edge, su_hash(id, 77))},
        };

        return su_model_bit(codec->model, &question, differs, NULL, 0);
}

static uint8_t code_new_byte(struct copy *copy, uint64_t offset, uint8_t old, uint8_t field,
                             uint8_t now)
{
        struct su_codec *codec = copy->codec;
        uint8_t before = offset ? codec->part->old[offset - 1] : 0;
        uint8_t before_now = su_window_byte(&codec->window, new_position(copy, offset) - 1);
        struct su_question question = {
                .n = 7,
                .set = SU_SET_DIRTY + (field & 15),
                .contexts = {su_hash(old, 0x100), su_hash(su_hash(old, field), 0x101),
                             su_hash(su_hash(codec->last_change, old), 0x102),
                             su_hash(su_hash(old, before), su_hash(field, 0x103)),
                             su_hash(before_now, su_hash(field, 0x104)),
                             su_hash(codec->became[field & 15][old], su_hash(old, 0x105)),
                             su_hash((uint8_t)(old + codec->last_change), su_hash(field, 0x106))},
        };

        return (uint8_t)su_model_symbol(codec->model, &question, now, 8);
}

static void code_byte(struct copy *copy, uint64_t offset)
{
        struct su_codec *codec = copy->codec;
        uint64_t position = new_position(copy, offset);
        uint8_t *to = su_window_at(&codec->window, position), old = *to;
        uint8_t now = su_codec_encodes(codec) ? codec->part->want[position] : old;
        uint8_t field = su_codec_field(codec, offset);
        bool differs;

        codec->coder->stream = SU_STREAM_BYTES;
        differs = code_differs(copy, offset, old, field, now != old);
        copy->changes = copy->changes << 1 | differs;
        copy->since_change = differs ? 0 : copy->since_change + 1;
        if (differs) {
                *to = code_new_byte(copy, offset, old, field, now);
                codec->last_change = (uint8_t)(*to - old);
        }
        codec->became[field & 15][old] = *to;
}

static void code_stripe(struct copy *copy, const struct chunk *chunk, uint64_t start, uint64_t end,
                        size_t *next)
{
        for (uint64_t i = start; i < end; i++) {
                uint64_t offset = copy->operation->from + i;
                const struct su_reference *reference;

                while (*next < chunk->n &&
                       chunk->references[*next].offset +
                                       su_reference_width(chunk->references[*next].kind) <=
                               offset)
                        (*next)++;
                reference = *next < chunk->n ? &chunk->references[*next] : NULL;
                if (reference && is_written_whole(reference->kind) && reference->offset <= offset)
                        continue;
                code_byte(copy, offset);
        }
}

static struct su_adaptive *stripe_state(struct copy *copy, const struct chunk *chunk,
                                        uint64_t start, uint64_t end)
{
        const struct su_operation *operation = copy->operation;
        size_t number = (start - chunk->start) / SU_STRIPE;
        uint64_t left = start / SU_STRIPE, right = (operation->length - 1 - start) / SU_STRIPE;
        uint64_t near = left < right ? left : right;
        unsigned edge = near > 30   ? 6
                        : near > 14 ? 5
                        : near > 6  ? 4
                        : near > 2  ? 3
                                    : (unsigned)near;
        unsigned code = su_codec_is_code(copy->codec, operation->from + start);
        unsigned state = copy->stripe[0] + 2U * copy->stripe[1];

        state = state * 2 + chunk->missed[number];
        state = state * 4 + (start == 0) + 2U * (end == operation->length);
        state = state * 2 + code;
        state = state * 4 + (end < chunk->end && chunk->missed[number + 1]) +
                (operation->length < 256 ? 2 : 0);
        return &copy->codec->stripe_states[state * 8 + edge];
}

static void code_stripes(struct copy *copy, const struct chunk *chunk)
{
        struct su_codec *codec = copy->codec;
        size_t next = 0;

        for (uint64_t start = chunk->start; start < chunk->end; start += SU_STRIPE) {
                uint64_t end = start + SU_STRIPE < chunk->end ? start + SU_STRIPE : chunk->end;
                uint64_t position = copy->operation->to + start;
                bool dirty = false;

                if (su_codec_encodes(codec))
                        dirty = memcmp(su_window_at(&codec->window, position),
                                       codec->part->want + position, end - start) != 0;
                codec->coder->stream = SU_STREAM_BYTES;
                dirty = su_coder_adaptive(codec->coder, stripe_state(copy, chunk, start, end),
                                          dirty);
                copy->stripe[1] = copy->stripe[0];
                copy->stripe[0] = dirty;
                if (dirty)
                        code_stripe(copy, chunk, start, end, &next);
                else
                        copy->since_change += SU_STRIPE;
        }
}

/* ---- chunks ---- */

static void write_foretold(struct copy *copy, const struct chunk *chunk)
{
        for (size_t i = 0; i < chunk->n; i++) {
                struct guess guess;

                if (su_reference_is_number(chunk->references[i].kind))
                        continue;
                guess_reference(copy, &chunk->references[i], &guess);
                write_guess(copy->codec, &guess, guess.remembered);
        }
}

/* The encoder's: try what a decoder would do, and undo it if it would be wrong. */
static bool is_foretold(struct copy *copy, const struct chunk *chunk)
{
        struct su_codec *codec = copy->codec;
        uint64_t position = copy->operation->to + chunk->start;
        uint64_t size = copy->staged - chunk->start;
        uint8_t *bytes = su_window_at(&codec->window, position), before[SU_CHUNK + 8];
        uint64_t touched = chunk->end - chunk->start;

        memcpy(before, bytes, size);
        write_foretold(copy, chunk);
        if (chunk->n > 0) {
                const struct su_reference *last = &chunk->references[chunk->n - 1];
                uint64_t end = last->offset + su_reference_width(last->kind) -
                               copy->operation->from - chunk->start;

                touched = end > touched ? end : touched;
        }
        if (memcmp(bytes, codec->part->want + position, touched) == 0)
                return true;
        memcpy(bytes, before, size);
        return false;
}

static struct su_adaptive *chunk_state(struct copy *copy, const struct chunk *chunk)
{
        uint64_t stripes = (copy->operation->length + SU_STRIPE - 1) / SU_STRIPE;
        unsigned size = stripes < 2 ? 0 : stripes < 8 ? 1 : stripes < 64 ? 2 : 3;
        unsigned code = su_codec_is_code(copy->codec, copy->operation->from + chunk->start);
        unsigned state = copy->dirty_chunks & 3;

        state = (state * 2 + (chunk->start == 0)) * 2 + (chunk->end == copy->operation->length);
        state = ((state * 4 + size) * 2 + code) * 2 + (chunk->n > 0);
        return &copy->codec->chunk_states[state];
}

static int code_chunk(struct copy *copy, struct chunk *chunk, struct su_error *err)
{
        struct su_codec *codec = copy->codec;
        bool clean = false;

        su_codec_note_place(codec, copy->operation->from + chunk->start);
        gather(copy, chunk);
        if (su_codec_encodes(codec))
                clean = is_foretold(copy, chunk);
        codec->coder->stream = SU_STREAM_CHUNKS;
        clean = su_coder_adaptive(codec->coder, chunk_state(copy, chunk), clean);
        copy->dirty_chunks = copy->dirty_chunks << 1 | !clean;
        if (clean) {
                if (!su_codec_encodes(codec))
                        write_foretold(copy, chunk);
                return 0;
        }
        memset(chunk->missed, 0, sizeof chunk->missed);
        for (size_t i = 0; i < chunk->n; i++) {
                const struct su_reference *reference = &chunk->references[i];
                int r;

                if (su_reference_is_number(reference->kind)) {
                        code_number(copy, reference);
                        continue;
                }
                r = code_reference(copy, chunk, reference, err);
                if (r < 0)
                        return r;
        }
        code_stripes(copy, chunk);
        return 0;
}

int su_codec_copy(struct su_codec *codec, const struct su_operation *operation,
                  struct su_error *err)
{
        struct copy copy = {.codec = codec,
                            .operation = operation,
                            .first_reference = true,
                            .since_change = 99};
        struct chunk chunk;

        for (uint64_t start = 0; start < operation->length; start = chunk.end) {
                int r;

                chunk.start = start;
                chunk.end =
                        start + SU_CHUNK < operation->length ? start + SU_CHUNK : operation->length;
                r = stage(&copy, chunk.end, err);
                if (r >= 0)
                        r = code_chunk(&copy, &chunk, err);
                if (r >= 0)
                        r = su_codec_check(codec, err);
                if (r < 0)
                        return r;
                codec->window.settled = operation->to + chunk.end;
                r = su_codec_fill_index(codec, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
