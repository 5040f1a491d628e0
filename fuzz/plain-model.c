/* In place of the coder and the model: what is decided stands in the input as it is. A change of a
 * byte is a change of one decision, and nothing is learned, which takes most of the time.
 *
 * A number is a byte below 0xf8, or one that says how many follow; a sign is its lowest bit; a
 * symbol is a byte; single decisions take a byte for eight. Behind the end there are zeros, for a
 * while. */
#include <stdlib.h>

#include "delta/codec/model.h"

#define LONG 0xf8
#define BEHIND 4096 /* bytes that may be read behind the end */

static uint8_t take(struct su_coder *coder)
{
        if (coder->input_at++ < coder->input_size)
                return coder->input[coder->input_at - 1];
        if (coder->input_at > coder->input_size + BEHIND)
                coder->failed = true;
        return 0;
}

static void put(struct su_coder *coder, uint8_t byte)
{
        if (coder->output_size == coder->output_capacity) {
                coder->output_capacity = coder->output_capacity * 2 + 4096;
                coder->output = realloc(coder->output, coder->output_capacity);
                if (!coder->output)
                        abort();
        }
        coder->output[coder->output_size++] = byte;
}

/* A byte in either direction. */
static uint8_t pass(struct su_coder *coder, uint8_t byte)
{
        if (coder->failed || coder->decisions >= coder->budget) {
                coder->failed = true;
                return 0;
        }
        coder->decisions++;
        if (coder->decoding)
                return take(coder);
        put(coder, byte);
        return byte;
}

void su_coder_encode(struct su_coder *coder)
{
        *coder = (struct su_coder){.budget = UINT64_MAX};
}

void su_coder_finish(struct su_coder *coder)
{
        (void)coder;
}

void su_coder_decode(struct su_coder *coder, const uint8_t *input, size_t size, uint64_t budget)
{
        *coder = (struct su_coder){
                .decoding = true, .budget = budget, .input = input, .input_size = size};
}

bool su_coder_is_at_end(const struct su_coder *coder)
{
        return coder->input_at >= coder->input_size;
}

void su_coder_done(struct su_coder *coder)
{
        free(coder->output);
        *coder = (struct su_coder){0};
}

/* `code` is the byte that holds the next bits, `high` how many of it are left; an encoder fills in
 * those of the byte that it put at `low`. */
unsigned su_coder_bit(struct su_coder *coder, unsigned bit, uint32_t probability)
{
        (void)probability;
        if (coder->high == 0) {
                coder->low = (uint32_t)coder->output_size;
                coder->code = pass(coder, 0);
                coder->high = 8;
        }
        if (coder->failed)
                return 0;
        coder->high--;
        if (coder->decoding)
                return coder->code >> coder->high & 1;
        coder->output[coder->low] |= (uint8_t)(bit << coder->high);
        return bit;
}

unsigned su_coder_adaptive(struct su_coder *coder, struct su_adaptive *state, unsigned bit)
{
        return su_coder_bit(coder, bit, state->probability);
}

struct su_model {
        struct su_coder *coder;
};

int su_model_new(struct su_coder *coder, struct su_model **ret, struct su_error *err)
{
        struct su_model *model = calloc(1, sizeof *model);

        if (!model)
                return su_fail_oom(err);
        model->coder = coder;
        *ret = model;
        return 0;
}

void su_model_free(struct su_model *model)
{
        free(model);
}

struct su_coder *su_model_coder(struct su_model *model)
{
        return model->coder;
}

int su_model_log_odds(const struct su_model *model, unsigned p)
{
        (void)model;
        return (int)p - 2048;
}

unsigned su_model_symbol(struct su_model *model, const struct su_question *question, unsigned value,
                         unsigned bits)
{
        if (question->rehearsal)
                return value;
        return pass(model->coder, (uint8_t)value) & ((1U << bits) - 1);
}

unsigned su_model_bit(struct su_model *model, const struct su_question *question, unsigned bit,
                      const int *guesses, unsigned n_guesses)
{
        (void)guesses;
        (void)n_guesses;
        return question->rehearsal ? bit : su_coder_bit(model->coder, bit, 0);
}

static unsigned bytes_of(uint64_t value)
{
        return (71 - (unsigned)__builtin_clzll(value | 1)) / 8;
}

uint64_t su_model_number(struct su_model *model, uint64_t value, uint32_t kind, uint32_t a,
                         uint32_t b)
{
        unsigned n = value < LONG ? 0 : bytes_of(value);
        uint8_t first = pass(model->coder, (uint8_t)(n ? LONG + n - 1 : value));
        uint64_t result = 0;

        (void)kind;
        (void)a;
        (void)b;
        if (first < LONG)
                return first;
        for (n = first - LONG + 1U; n > 0; n--)
                result = result << 8 | pass(model->coder, (uint8_t)(value >> (8 * (n - 1))));
        return result == UINT64_MAX ? 0 : result;
}

int64_t su_model_signed(struct su_model *model, int64_t value, uint32_t kind, uint32_t a,
                        uint32_t b)
{
        uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
        uint64_t number = su_model_number(model, size << 1 | (value < 0), kind, a, b);

        value = (int64_t)(number >> 1);
        return number & 1 ? -value : value;
}
