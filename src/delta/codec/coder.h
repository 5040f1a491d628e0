/* A binary arithmetic coder: one decision at a time, with a 16-bit probability for each.
 *
 * The same calls encode and decode: su_coder_bit() takes the decision in and gives the decision
 * back; a decoder ignores what it is given. Whoever is written on top of it is written once.
 * Carry-less range coder of 32 bits, as in lpaq (M. Mahoney, "Data Compression Explained", 3.2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* What decisions are about, for the account that su_coder_bit() keeps. */
enum su_stream {
        SU_STREAM_HEADER,
        SU_STREAM_OPERATIONS,
        SU_STREAM_CHUNKS,     /* which chunks of a copy are as predicted */
        SU_STREAM_REFERENCES, /* which references are, and what the others say */
        SU_STREAM_BYTES,      /* differences besides */
        SU_STREAM_INSERTS,
        SU_STREAM_TARGETS, /* what inserted calls and loads refer to */
        SU_STREAMS
};

#define SU_PLACES 16

struct su_coder {
        bool decoding;
        bool failed; /* encoder: memory is short. Decoder: the input ended, or the budget did */
        uint32_t low, high, code;
        const uint8_t *input; /* borrowed */
        size_t input_size, input_at;
        uint8_t *output;
        size_t output_size, output_capacity;
        uint64_t decisions, budget; /* a decoder stops at its budget */
        enum su_stream stream;
        unsigned place;                       /* what kind of place of the file; up to the caller */
        uint64_t cost[SU_STREAMS][SU_PLACES]; /* in 1/256 bit */
};

void su_coder_encode(struct su_coder *coder);
void su_coder_decode(struct su_coder *coder, const uint8_t *input, size_t size, uint64_t budget);
/* The encoder's last bytes. */
void su_coder_finish(struct su_coder *coder);
/* The decoder's: the input ends where the encoder's output did. */
bool su_coder_is_at_end(const struct su_coder *coder);
void su_coder_done(struct su_coder *coder);
#define su_auto_coder su_auto(su_coder_done)

/* `probability` of a one, in 1/65536, from 1 to 65535. After a failure: zero, for ever. */
unsigned su_coder_bit(struct su_coder *coder, unsigned bit, uint32_t probability);

/* A probability that learns by itself: fast at first. */
struct su_adaptive {
        uint16_t probability, n;
};

unsigned su_coder_adaptive(struct su_coder *coder, struct su_adaptive *state, unsigned bit);
