#include "delta/codec/coder.h"

#include <stdlib.h>

#include "delta/codec/rate.h"

#define TAIL 4 /* bytes that a decoder reads ahead, and may read behind the end */
#define ADAPTIVE_RATES (SU_RATES - 1)
#define ADAPTIVE_MIN 24

void su_coder_encode(struct su_coder *coder)
{
        *coder = (struct su_coder){.high = UINT32_MAX, .budget = UINT64_MAX};
}

static uint8_t next_byte(struct su_coder *coder)
{
        if (coder->input_at < coder->input_size)
                return coder->input[coder->input_at++];
        if (++coder->input_at > coder->input_size + TAIL)
                coder->failed = true;
        return 0;
}

void su_coder_decode(struct su_coder *coder, const uint8_t *input, size_t size, uint64_t budget)
{
        *coder = (struct su_coder){.decoding = true,
                                   .high = UINT32_MAX,
                                   .budget = budget,
                                   .input = input,
                                   .input_size = size};
        for (unsigned i = 0; i < 4; i++)
                coder->code = coder->code << 8 | next_byte(coder);
}

static void put_byte(struct su_coder *coder, uint8_t byte)
{
        if (coder->output_size == coder->output_capacity) {
                size_t capacity = coder->output_capacity ? coder->output_capacity * 2 : 4096;
                uint8_t *larger = realloc(coder->output, capacity);

                if (!larger) {
                        coder->failed = true;
                        return;
                }
                coder->output = larger;
                coder->output_capacity = capacity;
        }
        coder->output[coder->output_size++] = byte;
}

/* As few bytes as tell the last interval from all others: a decoder reads zeros behind them. */
static unsigned last_bytes(const struct su_coder *coder)
{
        unsigned bytes = 1;

        if (coder->low == 0)
                return 0;
        while (bytes < 4 && (coder->high & (UINT32_MAX << (32 - 8 * bytes))) < coder->low)
                bytes++;
        return bytes;
}

void su_coder_finish(struct su_coder *coder)
{
        unsigned bytes = last_bytes(coder);

        for (unsigned i = 0; i < bytes; i++)
                put_byte(coder, (uint8_t)(coder->high >> (24 - 8 * i)));
}

bool su_coder_is_at_end(const struct su_coder *coder)
{
        return coder->input_at - TAIL + last_bytes(coder) == coder->input_size;
}

void su_coder_done(struct su_coder *coder)
{
        free(coder->output);
        *coder = (struct su_coder){0};
}

/* -log2(probability) in 1/256 bit: the whole part exactly, the rest as a parabola. */
static uint32_t cost_of(uint32_t probability)
{
        unsigned log = 31 - (unsigned)__builtin_clz(probability);
        uint32_t rest = (uint32_t)(((uint64_t)probability << (16 - log)) - 65536) >> 8;

        rest += rest * (256 - rest) * 88 / 65536;
        return (16 - log) * 256 - rest;
}

static void shift(struct su_coder *coder)
{
        while (((coder->low ^ coder->high) & 0xff000000) == 0) {
                if (coder->decoding)
                        coder->code = coder->code << 8 | next_byte(coder);
                else
                        put_byte(coder, (uint8_t)(coder->high >> 24));
                coder->low <<= 8;
                coder->high = coder->high << 8 | 0xff;
        }
}

unsigned su_coder_bit(struct su_coder *coder, unsigned bit, uint32_t probability)
{
        uint32_t middle =
                coder->low + (uint32_t)(((uint64_t)(coder->high - coder->low) * probability) >> 16);

        if (coder->failed || coder->decisions >= coder->budget) {
                coder->failed = true;
                return 0;
        }
        coder->decisions++;
        if (coder->decoding)
                bit = coder->code <= middle;
        coder->cost[coder->stream][coder->place] +=
                cost_of(bit ? probability : 65536 - probability);
        if (bit)
                coder->high = middle;
        else
                coder->low = middle + 1;
        shift(coder);
        return bit;
}

unsigned su_coder_adaptive(struct su_coder *coder, struct su_adaptive *state, unsigned bit)
{
        uint32_t probability = state->probability;

        if (probability < ADAPTIVE_MIN)
                probability = ADAPTIVE_MIN;
        else if (probability > 65536 - ADAPTIVE_MIN)
                probability = 65536 - ADAPTIVE_MIN;
        bit = su_coder_bit(coder, bit, probability);
        su_rate_learn(&state->probability, state->n, bit);
        if (state->n < ADAPTIVE_RATES)
                state->n++;
        return bit;
}
