/* Context mixing: many guesses at one decision, each from what was seen in a context of its own,
 * weighed by how well they did (M. Mahoney, "Adaptive weighing of context models", 2005; lpaq).
 *
 * Integers alone, tables of fixed size: 16 MiB for what was seen in contexts, kept by hash, the
 * least used of two making room; a megabyte for the weights. Encoder and decoder make the same
 * calls in the same order and stay in step.
 */
#pragma once

#include "base/error.h"
#include "delta/codec/coder.h"

#define SU_MODEL_CONTEXTS_MAX 16
#define SU_MODEL_EXTRA_MAX 2
#define SU_MODEL_SETS 1600

struct su_model;

int su_model_new(struct su_coder *coder, struct su_model **ret, struct su_error *err);
void su_model_free(struct su_model *model);
static inline void su_model_free_p(struct su_model **model)
{
        su_model_free(*model);
}
#define su_auto_model su_auto(su_model_free_p)

/* Mix two numbers into one that is as good as random. */
static inline uint32_t su_hash(uint32_t a, uint32_t b)
{
        uint32_t h = (a + 0x7f4a7c15U) * 0x9e3779b1U ^ (b + 0x165667b1U) * 0x85ebca77U;

        h ^= h >> 15;
        h *= 0xc2b2ae3dU;
        return h ^ h >> 13;
}

struct su_question {
        uint32_t contexts[SU_MODEL_CONTEXTS_MAX]; /* hashes */
        unsigned n;
        unsigned set;   /* of weights, below SU_MODEL_SETS */
        bool rehearsal; /* learn `value`, code nothing */
};

/* A symbol of 1 to 8 bits, most significant first. */
unsigned su_model_symbol(struct su_model *model, const struct su_question *question, unsigned value,
                         unsigned bits);

/* One decision, for which the caller has guesses of its own: log-odds, in 1/256, within +-2047. */
unsigned su_model_bit(struct su_model *model, const struct su_question *question, unsigned bit,
                      const int *guesses, unsigned n_guesses);
/* log(p / (1 - p)) in 1/256 for p in 1/4096. */
int su_model_log_odds(const struct su_model *model, unsigned p);

/* Numbers: how long they are first, then their bits. `kind` tells apart what is counted; `a` and
 * `b` are what it may depend on. */
uint64_t su_model_number(struct su_model *model, uint64_t value, uint32_t kind, uint32_t a,
                         uint32_t b);
int64_t su_model_signed(struct su_model *model, int64_t value, uint32_t kind, uint32_t a,
                        uint32_t b);

struct su_coder *su_model_coder(struct su_model *model);
