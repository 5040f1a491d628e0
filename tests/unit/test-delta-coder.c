/* Coder and model: what goes in comes out. */
#include "random.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "delta/codec/model.h"

#define DECISIONS 20000

/* ---- the coder ---- */

struct decisions {
        uint8_t bits[DECISIONS];
        uint16_t probabilities[DECISIONS];
};

/* Mostly as probable as they say, at times not at all, some at the ends of what is allowed. */
static void fill_decisions(struct decisions *decisions, uint64_t seed)
{
        for (size_t i = 0; i < DECISIONS; i++) {
                uint64_t kind = random_below(&seed, 16);
                uint32_t probability = (uint32_t)(1 + random_below(&seed, 65535));

                probability = kind == 0 ? 1 : kind == 1 ? 65535 : probability;
                decisions->probabilities[i] = (uint16_t)probability;
                decisions->bits[i] = (uint8_t)(kind < 4 ? random_below(&seed, 2)
                                                        : random_below(&seed, 65536) < probability);
        }
}

static void encode(const struct decisions *decisions, size_t n, struct su_coder *coder)
{
        su_coder_encode(coder);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(
                        su_coder_bit(coder, decisions->bits[i], decisions->probabilities[i]),
                        decisions->bits[i]);
        su_coder_finish(coder);
        assert_false(coder->failed);
}

static void check_decoding(const struct decisions *decisions, size_t n, const uint8_t *data,
                           size_t size)
{
        struct su_coder coder;

        su_coder_decode(&coder, data, size, n);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(su_coder_bit(&coder, 1, decisions->probabilities[i]),
                                 decisions->bits[i]);
        assert_false(coder.failed);
        assert_true(su_coder_is_at_end(&coder));
        assert_int_equal(su_coder_bit(&coder, 1, 65535), 0); /* the budget is spent */
        assert_true(coder.failed);
}

static void test_round_trip(void **state)
{
        su_auto_free struct decisions *decisions = malloc(sizeof *decisions);

        (void)state;
        assert_non_null(decisions);
        for (uint64_t seed = 1; seed < 300; seed++) {
                size_t n = seed < 280 ? seed - 1 : DECISIONS;
                su_auto_coder struct su_coder coder = {0};

                fill_decisions(decisions, seed);
                encode(decisions, n, &coder);
                check_decoding(decisions, n, coder.output, coder.output_size);
        }
}

static bool ends_there(const struct decisions *decisions, size_t n, const uint8_t *data,
                       size_t size)
{
        struct su_coder coder;

        su_coder_decode(&coder, data, size, UINT64_MAX);
        for (size_t i = 0; i < n; i++)
                (void)su_coder_bit(&coder, 0, decisions->probabilities[i]);
        return !coder.failed && su_coder_is_at_end(&coder);
}

static void test_end(void **state)
{
        su_auto_free struct decisions *decisions = malloc(sizeof *decisions);

        (void)state;
        assert_non_null(decisions);
        for (uint64_t seed = 1; seed < 200; seed++) {
                su_auto_coder struct su_coder coder = {0};
                su_auto_free uint8_t *longer = NULL;

                fill_decisions(decisions, seed);
                encode(decisions, seed, &coder);
                longer = calloc(1, coder.output_size + 4);
                assert_non_null(longer);
                if (coder.output_size)
                        memcpy(longer, coder.output, coder.output_size);
                assert_true(ends_there(decisions, seed, longer, coder.output_size));
                for (size_t more = 1; more <= 4; more++)
                        assert_false(ends_there(decisions, seed, longer, coder.output_size + more));
        }
}

static void test_failure_lasts(void **state)
{
        struct su_coder coder;

        (void)state;
        su_coder_decode(&coder, NULL, 0, UINT64_MAX);
        for (unsigned i = 0; i < 100; i++)
                (void)su_coder_bit(&coder, 0, 32768);
        assert_true(coder.failed);
        assert_true(coder.decisions < 64);
        for (unsigned i = 0; i < 100; i++)
                assert_int_equal(su_coder_bit(&coder, 1, 65535), 0);
}

static void test_account(void **state)
{
        su_auto_coder struct su_coder coder = {0};

        (void)state;
        su_coder_encode(&coder);
        coder.stream = SU_STREAM_BYTES;
        coder.place = 3;
        for (unsigned i = 0; i < 80; i++)
                (void)su_coder_bit(&coder, i & 1, 32768);
        coder.stream = SU_STREAM_INSERTS;
        for (unsigned i = 0; i < 10; i++)
                (void)su_coder_bit(&coder, 1, 16384);
        assert_int_equal(coder.cost[SU_STREAM_BYTES][3], 80 * 256);
        assert_int_equal(coder.cost[SU_STREAM_INSERTS][3], 20 * 256);
        assert_int_equal(coder.decisions, 90);
        su_coder_finish(&coder);
        assert_in_range(coder.output_size, 12, 14);
}

static void test_adaptive(void **state)
{
        su_auto_coder struct su_coder coder = {0};
        struct su_coder decoder;
        struct su_adaptive first = {32768, 0}, second = {32768, 0};

        (void)state;
        su_coder_encode(&coder);
        for (unsigned i = 0; i < 5000; i++)
                (void)su_coder_adaptive(&coder, &first, i % 100 == 0);
        su_coder_finish(&coder);
        assert_true(coder.output_size < 100); /* 5000 decisions of 0.08 bit each are 50 */
        su_coder_decode(&decoder, coder.output, coder.output_size, UINT64_MAX);
        for (unsigned i = 0; i < 5000; i++)
                assert_int_equal(su_coder_adaptive(&decoder, &second, 0), i % 100 == 0);
        assert_memory_equal(&first, &second, sizeof first);
        assert_true(su_coder_is_at_end(&decoder));
}

/* ---- the model ---- */

/* All that a model can be asked, at random. */
struct asker {
        struct su_model *model;
        uint64_t seed;
        uint64_t checks; /* a hash of all answers */
        bool encodes;
};

static void note(struct asker *asker, uint64_t answer, uint64_t wanted)
{
        if (asker->encodes)
                assert_int_equal(answer, wanted);
        asker->checks = asker->checks * 31 + answer;
}

static struct su_question random_question(uint64_t *seed)
{
        struct su_question question = {0};

        question.n = (unsigned)random_below(seed, SU_MODEL_CONTEXTS_MAX + 1);
        question.set = (unsigned)random_below(seed, SU_MODEL_SETS);
        for (unsigned i = 0; i < question.n; i++)
                question.contexts[i] = (uint32_t)random_below(seed, 50) * 77777777;
        return question;
}

static void ask_symbol(struct asker *asker)
{
        struct su_question question = random_question(&asker->seed);
        unsigned bits = (unsigned)(1 + random_below(&asker->seed, 8));
        unsigned value = (unsigned)random_below(&asker->seed, UINT64_C(1) << bits);

        question.rehearsal = random_below(&asker->seed, 4) == 0;
        if (question.rehearsal)
                assert_int_equal(su_model_symbol(asker->model, &question, value, bits), value);
        else
                note(asker,
                     su_model_symbol(asker->model, &question, asker->encodes ? value : 0, bits),
                     value);
}

static void ask_bit(struct asker *asker)
{
        struct su_question question = random_question(&asker->seed);
        unsigned bit = (unsigned)random_below(&asker->seed, 2);
        int guesses[2] = {
                (int)random_below(&asker->seed, 4095) - 2047,
                su_model_log_odds(asker->model, (unsigned)random_below(&asker->seed, 4096))};

        note(asker,
             su_model_bit(asker->model, &question, asker->encodes ? bit : 0, guesses,
                          (unsigned)random_below(&asker->seed, 3)),
             bit);
}

static void ask_number(struct asker *asker)
{
        uint64_t value = random_wide(&asker->seed);
        uint32_t kind = (uint32_t)random_below(&asker->seed, 256);
        uint32_t a = (uint32_t)random_below(&asker->seed, 5),
                 b = (uint32_t)random_below(&asker->seed, 3);

        if (value == UINT64_MAX)
                value = 0;
        note(asker, su_model_number(asker->model, asker->encodes ? value : 0, kind, a, b), value);
        value = random_wide(&asker->seed);
        if (value == UINT64_C(1) << 63)
                value = 0;
        note(asker,
             (uint64_t)su_model_signed(asker->model, asker->encodes ? (int64_t)value : 0, kind, a,
                                       b),
             value);
}

static uint64_t ask_all(struct su_coder *coder, uint64_t seed, unsigned n)
{
        su_auto_model struct su_model *model = NULL;
        struct asker asker = {.seed = seed, .encodes = !coder->decoding};
        struct su_error err = {0};

        assert_ok(su_model_new(coder, &model, &err), err);
        assert_ptr_equal(su_model_coder(model), coder);
        asker.model = model;
        for (unsigned i = 0; i < n; i++) {
                switch (random_below(&asker.seed, 3)) {
                case 0:
                        ask_symbol(&asker);
                        break;
                case 1:
                        ask_bit(&asker);
                        break;
                default:
                        ask_number(&asker);
                }
        }
        return asker.checks;
}

static void test_model_round_trip(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed < 8; seed++) {
                su_auto_coder struct su_coder coder = {0};
                struct su_coder decoder;
                uint64_t checks;

                su_coder_encode(&coder);
                checks = ask_all(&coder, seed, 3000);
                su_coder_finish(&coder);
                su_coder_decode(&decoder, coder.output, coder.output_size, UINT64_MAX);
                assert_int_equal(ask_all(&decoder, seed, 3000), checks);
                assert_true(su_coder_is_at_end(&decoder));
        }
}

static const uint64_t extremes[] = {
        0,
        1,
        2,
        14,
        15,
        16,
        31,
        32,
        255,
        256,
        UINT16_MAX,
        UINT32_MAX,
        INT64_MAX - 1,
        INT64_MAX,
        UINT64_C(1) << 62,
};

static void code_extremes(struct su_coder *coder)
{
        su_auto_model struct su_model *model = NULL;

        assert_true(su_model_new(coder, &model, NULL) >= 0);
        assert_int_equal(su_model_number(model, coder->decoding ? 0 : UINT64_MAX - 1, 1, 0, 0),
                         UINT64_MAX - 1);
        for (size_t i = 0; i < SU_ELEMENTS(extremes); i++) {
                int64_t value = (int64_t)extremes[i];
                bool encodes = !coder->decoding;

                assert_int_equal(su_model_number(model, encodes ? extremes[i] : 0, 2, 0, 0),
                                 extremes[i]);
                assert_int_equal(su_model_signed(model, encodes ? value : 0, 3, 0, 0), value);
                assert_int_equal(su_model_signed(model, encodes ? -value : 0, 3, 0, 0), -value);
        }
}

static void test_extreme_numbers(void **state)
{
        su_auto_coder struct su_coder coder = {0};
        struct su_coder decoder;

        (void)state;
        su_coder_encode(&coder);
        code_extremes(&coder);
        su_coder_finish(&coder);
        su_coder_decode(&decoder, coder.output, coder.output_size, UINT64_MAX);
        code_extremes(&decoder);
}

/* What one symbol costs after it was seen `n` times, coded or rehearsed: in 1/256 bit. */
static uint64_t cost_after(unsigned n, bool rehearsal)
{
        struct su_question question = {
                .contexts = {1, 2, 3}, .n = 3, .set = 5, .rehearsal = rehearsal};
        su_auto_coder struct su_coder coder = {0};
        su_auto_model struct su_model *model = NULL;
        uint64_t before;

        su_coder_encode(&coder);
        assert_true(su_model_new(&coder, &model, NULL) >= 0);
        for (unsigned i = 0; i < n; i++)
                (void)su_model_symbol(model, &question, 0xa5, 8);
        before = coder.cost[0][0];
        assert_true(!rehearsal || coder.decisions == 0);
        question.rehearsal = false;
        (void)su_model_symbol(model, &question, 0xa5, 8);
        return coder.cost[0][0] - before;
}

static void test_model_learns(void **state)
{
        (void)state;
        assert_in_range(cost_after(0, false), 2000, 2100); /* 8 bits */
        assert_true(cost_after(3, false) < 1024);
        assert_true(cost_after(100, false) < 64);
        assert_true(cost_after(100, true) == cost_after(100, false));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_end),
                cmocka_unit_test(test_failure_lasts),   cmocka_unit_test(test_account),
                cmocka_unit_test(test_adaptive),        cmocka_unit_test(test_model_round_trip),
                cmocka_unit_test(test_extreme_numbers), cmocka_unit_test(test_model_learns),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
