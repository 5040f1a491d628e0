#include "delta/codec/model.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "delta/codec/rate.h"

#ifndef LINES_LOG /* fuzzers want it small: clearing it is most of what a short delta costs */
#define LINES_LOG 18
#endif
#define GROUP 4 /* bits that share a line */
#define NODES ((1U << GROUP) - 1)
#define SLOW_LIMIT 40
#define FAST_PARTS 5
#define INPUTS_MAX (2 * SU_MODEL_CONTEXTS_MAX + 1 + SU_MODEL_EXTRA_MAX)
#define ODDS_MAX 2047
#define SYMBOL_SETS 256 /* weights by the bits before, besides those by question */
#define REFINE_STEPS 33

/* What was seen behind one context and the bits before: a slow probability, a fast one (its upper
 * 10 bits) and how often (6 bits). */
struct node {
        uint16_t slow;
        uint16_t fast;
};

struct line {
        uint16_t check;
        uint16_t used;
        struct node nodes[NODES];
};

#define LINES_SIZE (sizeof(struct line) << LINES_LOG)

struct weights {
        int32_t of[INPUTS_MAX];
        uint32_t n; /* how often they were set right */
};

struct su_model {
        struct su_coder *coder;
        struct line *lines;
        struct weights *weights; /* SU_MODEL_SETS, then SYMBOL_SETS */
        int16_t odds[4096];
        uint16_t chances[4096];
        uint16_t refined[256][REFINE_STEPS];
};

/* 65536 / (1 + exp(-x)) for x from -8 to 8 in steps of 1/4, kept off the ends. */
static const uint16_t logistic[65] = {
        36,    36,    36,    47,    60,    77,    98,    126,   162,   208,   267,   342,   439,
        562,   720,   922,   1179,  1506,  1921,  2446,  3108,  3938,  4971,  6249,  7812,  9702,
        11955, 14595, 17625, 21025, 24743, 28693, 32768, 36843, 40793, 44511, 47911, 50941, 53581,
        55834, 57724, 59287, 60565, 61598, 62428, 63090, 63615, 64030, 64357, 64614, 64816, 64974,
        65097, 65194, 65269, 65328, 65374, 65410, 65438, 65459, 65476, 65489, 65500, 65500, 65500};

/* `odds` in 1/256, from -2048 on. */
static uint32_t chance_of(int odds)
{
        unsigned at = (unsigned)(odds + 2048), step = at >> 6, part = at & 63;

        return (logistic[step] * (64 - part) + logistic[step + 1] * part) >> 6;
}

static void fill_tables(struct su_model *model)
{
        unsigned next = 0;

        for (int odds = -2048; odds < 2048; odds++) {
                uint32_t chance = chance_of(odds);

                model->chances[odds + 2048] = (uint16_t)chance;
                for (; next <= chance >> 4; next++)
                        model->odds[next] = (int16_t)(odds < -ODDS_MAX ? -ODDS_MAX : odds);
        }
        for (; next < 4096; next++)
                model->odds[next] = ODDS_MAX;
        for (unsigned i = 0; i < 256; i++)
                for (int step = 0; step < REFINE_STEPS; step++) {
                        int odds = step * 128 - 2048;

                        model->refined[i][step] = (uint16_t)chance_of(odds > 2047 ? 2047 : odds);
                }
}

static void fill_weights(struct su_model *model)
{
        for (size_t i = 0; i < SU_MODEL_SETS + SYMBOL_SETS; i++)
                for (size_t j = 0; j < INPUTS_MAX; j++)
                        model->weights[i].of[j] = j % 2 == 0 ? 14000 : 9000;
}

int su_model_new(struct su_coder *coder, struct su_model **ret, struct su_error *err)
{
        su_auto_model struct su_model *model = calloc(1, sizeof *model);

        if (!model)
                return su_fail_oom(err);
        model->coder = coder;
        model->lines = mmap(NULL, LINES_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                            -1, 0); /* zeros, and on its own cache lines */
        if (model->lines == MAP_FAILED)
                model->lines = NULL;
        else
                (void)madvise(model->lines, LINES_SIZE, MADV_HUGEPAGE);
        model->weights = calloc(SU_MODEL_SETS + SYMBOL_SETS, sizeof *model->weights);
        if (!model->lines || !model->weights)
                return su_fail_oom(err);
        fill_tables(model);
        fill_weights(model);
        *ret = su_take(model);
        return 0;
}

void su_model_free(struct su_model *model)
{
        if (!model)
                return;
        if (model->lines)
                (void)munmap(model->lines, LINES_SIZE);
        free(model->weights);
        free(model);
}

struct su_coder *su_model_coder(struct su_model *model)
{
        return model->coder;
}

int su_model_log_odds(const struct su_model *model, unsigned p)
{
        return model->odds[p];
}

static void clear_line(struct line *line, uint16_t check)
{
        line->check = check;
        line->used = 0;
        for (unsigned i = 0; i < NODES; i++)
                line->nodes[i] = (struct node){32768, 512 << 6};
}

struct place {
        size_t at;
        uint16_t check;
};

static struct place place_of(uint32_t context)
{
        uint32_t hash = context * 0x9e3779b1U;

        return (struct place){hash >> (32 - LINES_LOG), (uint16_t)((hash ^ context >> 7) | 1)};
}

/* The context's own line, or one that is taken from the less used of two. */
static struct line *take_line(struct su_model *model, struct place place)
{
        struct line *line = &model->lines[place.at], *other = &model->lines[place.at ^ 1];

        if (line->check == place.check)
                return line;
        if (other->check == place.check)
                return other;
        if (other->used < line->used)
                line = other;
        clear_line(line, place.check);
        return line;
}

struct mix {
        struct node *nodes[SU_MODEL_CONTEXTS_MAX];
        int inputs[INPUTS_MAX];
        unsigned n_nodes, n_inputs;
        struct weights *weights[2]; /* the second may be NULL */
        uint16_t *refined;          /* or NULL */
};

static void add_node(const struct su_model *model, struct mix *mix, struct node *node)
{
        unsigned n = node->fast & 63;
        int *inputs = &mix->inputs[mix->n_inputs];

        mix->nodes[mix->n_nodes++] = node;
        mix->n_inputs += 2;
        if (n == 0) {
                inputs[0] = inputs[1] = 0;
                return;
        }
        inputs[0] = model->odds[node->slow >> 4];
        inputs[1] = n < 3 ? (((int)(node->slow >> 4) - 2048) * (int)n) / 4
                          : model->odds[(unsigned)(node->fast >> 6) << 2];
}

static int weigh(const struct mix *mix, const struct weights *weights)
{
        int64_t sum = 0;

        for (unsigned i = 0; i < mix->n_inputs; i++)
                sum += (int64_t)mix->inputs[i] * weights->of[i];
        sum >>= 16;
        return sum > ODDS_MAX ? ODDS_MAX : sum < -ODDS_MAX ? -ODDS_MAX : (int)sum;
}

/* Hundreds of megabytes of one byte may take a weight round: harmless, and the same on both sides.
 */
static int32_t add_wrapping(int32_t a, int32_t b)
{
        return (int32_t)((uint32_t)a + (uint32_t)b);
}

static void set_right(const struct su_model *model, const struct mix *mix, struct weights *weights,
                      int odds, unsigned bit)
{
        int error = ((int)(bit << 16) - (int)model->chances[odds + 2048]) / 16;
        int rate = 6 + (int)(30 * 256 / (256 + weights->n / 4));

        for (unsigned i = 0; i < mix->n_inputs; i++)
                weights->of[i] =
                        add_wrapping(weights->of[i], (mix->inputs[i] * error * rate + 8192) >> 14);
        if (weights->n < 16 * 256)
                weights->n += 16;
}

static void learn_node(struct node *node, unsigned bit)
{
        unsigned n = node->fast & 63;
        int fast = node->fast >> 6;
        int parts = n < FAST_PARTS - 2 ? (int)n + 2 : FAST_PARTS;

        su_rate_learn(&node->slow, n, bit);
        fast += ((bit ? 1023 : 0) - fast) / parts;
        if (n < SLOW_LIMIT)
                n++;
        node->fast = (uint16_t)((unsigned)fast << 6 | n);
}

/* What came of the probability before, in steps: corrects what is always a little off. */
static uint32_t refine(struct mix *mix, int odds, uint32_t chance, uint16_t **ret_nearest)
{
        unsigned at = (unsigned)(odds + 2048) * 32, step = at >> 12, part = at & 4095;
        uint32_t refined =
                (mix->refined[step] * (4096 - part) + (uint32_t)mix->refined[step + 1] * part) >>
                12;

        *ret_nearest = &mix->refined[step + (part > 2048)];
        chance = (chance + refined) / 2;
        return chance < 36 ? 36 : chance > 65500 ? 65500 : chance;
}

static unsigned decide(struct su_model *model, struct mix *mix, unsigned bit, bool rehearsal)
{
        int odds[2] = {0}, both;
        uint16_t *nearest = NULL;
        uint32_t chance;

        odds[0] = both = weigh(mix, mix->weights[0]);
        if (mix->weights[1]) {
                odds[1] = weigh(mix, mix->weights[1]);
                both = (odds[0] + odds[1]) / 2;
        }
        chance = model->chances[both + 2048];
        if (mix->refined)
                chance = refine(mix, both, chance, &nearest);
        if (!rehearsal)
                bit = su_coder_bit(model->coder, bit, chance);
        set_right(model, mix, mix->weights[0], odds[0], bit);
        if (mix->weights[1])
                set_right(model, mix, mix->weights[1], odds[1], bit);
        if (nearest)
                *nearest = (uint16_t)(*nearest + ((bit ? 65535 : 0) - (int)*nearest) / 50);
        for (unsigned i = 0; i < mix->n_nodes; i++)
                learn_node(mix->nodes[i], bit);
        return bit;
}

/* All are asked for before the first is looked at: memory is slow. */
static void find_lines(struct su_model *model, const struct su_question *question, uint32_t group,
                       struct line **ret)
{
        struct place places[SU_MODEL_CONTEXTS_MAX];

        for (unsigned i = 0; i < question->n; i++) {
                places[i] = place_of(su_hash(question->contexts[i], group));
                __builtin_prefetch(&model->lines[places[i].at], 1);
                __builtin_prefetch(&model->lines[places[i].at ^ 1], 1);
        }
        for (unsigned i = 0; i < question->n; i++) {
                ret[i] = take_line(model, places[i]);
                if (ret[i]->used < UINT16_MAX)
                        ret[i]->used++;
        }
}

unsigned su_model_symbol(struct su_model *model, const struct su_question *question, unsigned value,
                         unsigned bits)
{
        struct line *lines[SU_MODEL_CONTEXTS_MAX];
        uint32_t before = 1; /* the bits so far, below a one */
        unsigned node = 1;

        for (unsigned i = 0; i < bits; i++) {
                struct mix mix = {.weights = {&model->weights[question->set]}};

                if (i % GROUP == 0) {
                        find_lines(model, question, before, lines);
                        node = 1;
                }
                for (unsigned j = 0; j < question->n; j++)
                        add_node(model, &mix, &lines[j]->nodes[node - 1]);
                mix.inputs[mix.n_inputs++] = 256;
                if (bits == 8) {
                        mix.weights[1] = &model->weights[SU_MODEL_SETS + before];
                        mix.refined = model->refined[before];
                }
                unsigned bit =
                        decide(model, &mix, value >> (bits - 1 - i) & 1, question->rehearsal);
                before = before << 1 | bit;
                node = node << 1 | bit;
        }
        return before & ((1U << bits) - 1);
}

unsigned su_model_bit(struct su_model *model, const struct su_question *question, unsigned bit,
                      const int *guesses, unsigned n_guesses)
{
        struct line *lines[SU_MODEL_CONTEXTS_MAX];
        struct mix mix = {.weights = {&model->weights[question->set]}};

        find_lines(model, question, 1, lines);
        for (unsigned i = 0; i < question->n; i++)
                add_node(model, &mix, &lines[i]->nodes[0]);
        mix.inputs[mix.n_inputs++] = 256;
        for (unsigned i = 0; i < n_guesses; i++)
                mix.inputs[mix.n_inputs++] = guesses[i];
        return decide(model, &mix, bit, question->rehearsal);
}

/* ---- numbers ---- */

#define KINDS 256 /* of numbers; each has a set of weights for each part of a number */
#define LEADING 4 /* bits behind the first one that depend on something */

static void ask(struct su_question *question, uint32_t part, uint32_t kind, uint32_t a, uint32_t b)
{
        uint32_t id = su_hash(kind, part);

        question->n = 4;
        question->contexts[0] = su_hash(id, 1);
        question->contexts[1] = su_hash(su_hash(id, 2), a);
        question->contexts[2] = su_hash(su_hash(su_hash(id, 3), a), b);
        question->contexts[3] = su_hash(su_hash(id, 4), b);
}

/* The bits below the leading ones, a few at a time: they depend on nothing but their place. */
static uint64_t trailing_bits(struct su_model *model, uint64_t value, uint32_t kind, unsigned left,
                              unsigned length)
{
        struct su_question question = {.n = 2, .set = 512 + kind % KINDS};
        uint64_t result = 0;

        while (left > 0) {
                unsigned n = left < GROUP ? left : GROUP;

                left -= n;
                question.contexts[0] = su_hash(su_hash(kind, 0x200 + length), left);
                question.contexts[1] = su_hash(su_hash(kind, 0x300), left);
                result = result << n | su_model_symbol(model, &question,
                                                       (unsigned)(value >> left) & ((1U << n) - 1),
                                                       n);
        }
        return result;
}

uint64_t su_model_number(struct su_model *model, uint64_t value, uint32_t kind, uint32_t a,
                         uint32_t b)
{
        struct su_question question = {.set = kind % KINDS};
        uint64_t above = value + 1, result; /* UINT64_MAX is never sent */
        unsigned length = 63 - (unsigned)__builtin_clzll(above | 1), leading, rest;

        ask(&question, 0, kind, a, b);
        length = su_model_symbol(model, &question, length, 6);
        leading = length < LEADING ? length : LEADING;
        rest = length - leading;
        result = 1;
        if (leading > 0) {
                ask(&question, 1 + length, kind, a, b);
                question.set = 256 + kind % KINDS;
                result =
                        result << leading |
                        su_model_symbol(model, &question,
                                        (unsigned)(above >> rest) & ((1U << leading) - 1), leading);
        }
        if (rest > 0)
                result = result << rest | trailing_bits(model, above, kind, rest, length);
        return result - 1;
}

int64_t su_model_signed(struct su_model *model, int64_t value, uint32_t kind, uint32_t a,
                        uint32_t b)
{
        struct su_question question = {.n = 3, .set = 768 + kind % 128};
        uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

        size = su_model_number(model, size, kind, a, b) & INT64_MAX;
        if (size == 0)
                return 0;
        question.contexts[0] = su_hash(kind, 0x400);
        question.contexts[1] = su_hash(su_hash(kind, 0x401), a);
        question.contexts[2] = su_hash(su_hash(kind, 0x402), size < 64 ? (uint32_t)size : 64);
        return su_model_bit(model, &question, value < 0, NULL, 0) ? -(int64_t)size : (int64_t)size;
}
