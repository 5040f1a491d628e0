/* Projection, memory and window: what the codec keeps between bytes, against the plainest way to
 * keep it. */
#include "random.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "delta/codec/memory.h"
#include "delta/codec/projection.h"
#include "delta/codec/window.h"

/* ---- projection ---- */

#define POSITIONS 400

/* The longest copy that covers a position, the first of equally long ones; or NULL. */
static const struct su_operation *covering(const struct su_operation *operations, size_t n,
                                           uint64_t position)
{
        const struct su_operation *best = NULL;

        for (size_t i = 0; i < n; i++) {
                const struct su_operation *operation = &operations[i];

                if (position < operation->from ||
                    position >= (uint64_t)operation->from + operation->length)
                        continue;
                if (!best || operation->length > best->length ||
                    (operation->length == best->length && operation->to < best->to))
                        best = operation;
        }
        return best;
}

static uint64_t project_slowly(const struct su_operation *operations, size_t n, uint64_t position,
                               bool *ret_covered)
{
        const struct su_operation *operation = covering(operations, n, position);

        *ret_covered = operation != NULL;
        for (uint64_t away = 1; !operation && away < 2 * POSITIONS; away++) {
                if (position >= away)
                        operation = covering(operations, n, position - away);
                if (!operation) /* as near: what lies before, from behind its last byte */
                        operation = covering(operations, n, position + away - 1);
        }
        return operation ? position + operation->to - operation->from : position;
}

static void check_projection(uint64_t seed)
{
        struct su_operation operations[12];
        su_auto_projection struct su_projection projection = {0};
        size_t n = random_below(&seed, SU_ELEMENTS(operations) + 1);
        struct su_error err = {0};

        for (size_t i = 0; i < n; i++)
                operations[i] = (struct su_operation){
                        .to = (uint32_t)(1000 * i + random_below(&seed, 500)),
                        .from = (uint32_t)random_below(&seed, POSITIONS - 50),
                        .length = (uint32_t)(1 + random_below(&seed, 50)),
                };
        assert_ok(su_projection_make(operations, n, &projection, &err), err);
        for (unsigned i = 0; i < 2 * POSITIONS; i++) {
                uint64_t position = i < POSITIONS ? i : random_below(&seed, POSITIONS);
                const struct su_span *span;
                bool covered, wanted;
                uint64_t to = project_slowly(operations, n, position, &wanted);

                assert_int_equal(su_project(&projection, position, &covered, &span), to);
                assert_int_equal(covered, wanted);
                assert_true((span != NULL) == (n > 0));
                if (span)
                        assert_int_equal(position + (uint64_t)span->shift, to);
        }
}

static void test_projection(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 2000; seed++)
                check_projection(seed);
}

static void test_spans(void **state)
{
        static const struct su_operation operations[] = {
                {0, 10, 10}, {10, 20, 10}, {100, 15, 4}, {300, 50, 1}};
        su_auto_projection struct su_projection projection = {0};
        struct su_error err = {0};

        (void)state;
        assert_ok(su_projection_make(operations, 4, &projection, &err), err);
        assert_int_equal(projection.n, 2); /* neighbours that move alike are one */
        assert_int_equal(projection.spans[0].start, 10);
        assert_int_equal(projection.spans[0].end, 30);
        assert_int_equal(projection.spans[0].shift, -10);
        assert_int_equal(projection.spans[1].shift, 250);
}

/* ---- memory ---- */

static uint64_t value_of(uint64_t key)
{
        return key * UINT64_C(0x123456789abcdef) ^ 5;
}

static void test_memory(void **state)
{
        su_auto_memory struct su_memory memory = {0};
        struct su_error err = {0};
        uint64_t n = 20000;

        (void)state;
        assert_ok(su_memory_init(&memory, &err), err);
        assert_null(su_memory_get(&memory, 1));
        for (uint64_t key = 1; key <= n; key++)
                assert_ok(su_memory_put(&memory, key * 1024, key, &err), err);
        for (uint64_t key = 1; key <= n; key++)
                assert_ok(su_memory_put(&memory, key * 1024, value_of(key), &err), err);
        assert_int_equal(memory.n, n);
        for (uint64_t key = 1; key <= n; key++) {
                const uint64_t *value = su_memory_get(&memory, key * 1024);

                assert_non_null(value);
                assert_int_equal(*value, value_of(key));
                assert_null(su_memory_get(&memory, key * 1024 + 1));
        }
        assert_true(memory.mask >= 2 * n - 1);
}

/* A full memory remembers nothing new, but goes on to change what it has. */
static void test_full_memory(void **state)
{
        su_auto_memory struct su_memory memory = {0};
        struct su_error err = {0};

        (void)state;
        assert_ok(su_memory_init(&memory, &err), err);
        for (uint64_t key = 1; key <= SU_MEMORY_MAX + 100; key++)
                assert_ok(su_memory_put(&memory, key, key, &err), err);
        assert_int_equal(memory.n, SU_MEMORY_MAX);
        assert_null(su_memory_get(&memory, SU_MEMORY_MAX + 1));
        assert_ok(su_memory_put(&memory, 7, 8, &err), err);
        assert_int_equal(*su_memory_get(&memory, 7), 8);
        assert_true((uint64_t)memory.mask + 1 <= 4 * SU_MEMORY_MAX);
}

/* ---- window ---- */

#define WRITTEN_MAX (1 << 20)

struct written {
        uint8_t *bytes;
        size_t n;
        int result;
};

static int take(void *userdata, const uint8_t *data, size_t size, struct su_error *err)
{
        struct written *written = userdata;

        (void)err;
        assert_true(size <= WRITTEN_MAX - written->n);
        memcpy(written->bytes + written->n, data, size);
        written->n += size;
        return written->result;
}

static void check_window(struct su_window *window, const uint8_t *wanted, uint64_t *seed)
{
        uint64_t keep = window->end > SU_WINDOW_KEEP ? window->end - SU_WINDOW_KEEP : 0;

        assert_true(window->start <= keep);
        for (unsigned i = 0; i < 20; i++) {
                uint64_t position = keep + random_below(seed, window->end - keep + 1);

                if (position == window->end) {
                        assert_false(su_window_has(window, position, 1));
                        assert_int_equal(su_window_byte(window, position), 0);
                        continue;
                }
                assert_int_equal(su_window_byte(window, position), wanted[position]);
                if (position + 4 <= window->end)
                        assert_int_equal(su_window_get32(window, position),
                                         su_get32(wanted + position));
                else
                        assert_int_equal(su_window_get32(window, position), 0);
        }
        assert_int_equal(su_window_byte(window, UINT64_MAX), 0);
        assert_int_equal(su_window_get32(window, UINT64_MAX - 1), 0);
}

/* Bytes are appended, changed while they are not settled, and settled in pieces. */
static void test_window(void **state)
{
        su_auto_free struct su_window *window = calloc(1, sizeof *window);
        su_auto_free uint8_t *wanted = malloc(WRITTEN_MAX);
        struct written written = {.bytes = malloc(WRITTEN_MAX)};
        uint64_t seed = 3;
        struct su_error err = {0};

        (void)state;
        assert_true(window && wanted && written.bytes);
        fill_noise(wanted, WRITTEN_MAX, 1);
        *window = (struct su_window){.sink = take, .userdata = &written};
        assert_ok(su_window_init(window, &err), err);
        while (window->end < WRITTEN_MAX - 4096) {
                uint64_t size = random_below(&seed, 2048), change;

                assert_ok(su_window_append(window, wanted + window->end, size, &err), err);
                if (window->end == window->settled)
                        continue;
                change = window->settled + random_below(&seed, window->end - window->settled);
                wanted[change] = *su_window_at(window, change) = (uint8_t)random_next(&seed);
                check_window(window, wanted, &seed);
                if (window->end - window->settled > 1024)
                        window->settled += 1 + random_below(&seed, window->end - window->settled);
        }
        window->settled = window->end;
        assert_ok(su_window_flush(window, &err), err);
        assert_int_equal(written.n, window->end);
        assert_memory_equal(written.bytes, wanted, written.n);
        free(written.bytes);
        su_window_done(window);
}

/* What is held back can be filled in later, and is not written before; but not without end. */
static void test_held_window(void **state)
{
        su_auto_free struct su_window *window = calloc(1, sizeof *window);
        struct written written = {.bytes = malloc(WRITTEN_MAX)};
        uint8_t bytes[4096] = {0};
        struct su_error err = {0};

        (void)state;
        assert_true(window && written.bytes);
        *window = (struct su_window){.sink = take, .userdata = &written};
        assert_ok(su_window_init(window, &err), err);
        window->hold = 5000;
        while (window->end < 200000) {
                assert_ok(su_window_append(window, bytes, sizeof bytes, &err), err);
                window->settled = window->end;
        }
        assert_true(written.n <= 5000);
        *su_window_at(window, 5001) = 7;
        window->hold = UINT64_MAX;
        assert_ok(su_window_flush(window, &err), err);
        assert_int_equal(written.n, window->end);
        assert_int_equal(written.bytes[5001], 7);
        window->hold = window->end;
        while (window->end < 3 * (uint64_t)SU_WINDOW_SIZE_MAX &&
               su_window_append(window, bytes, sizeof bytes, &err) >= 0)
                window->settled = window->end;
        assert_true(err.code == SU_ERROR_DELTA && window->end < 2 * (uint64_t)SU_WINDOW_SIZE_MAX);
        free(written.bytes);
        su_window_done(window);
}

static void test_failing_sink(void **state)
{
        su_auto_free struct su_window *window = calloc(1, sizeof *window);
        struct written written = {.bytes = malloc(WRITTEN_MAX), .result = -1};
        uint8_t bytes[100] = {0};

        (void)state;
        assert_true(window && written.bytes);
        *window = (struct su_window){.sink = take, .userdata = &written};
        assert_int_equal(su_window_init(window, NULL), 0);
        assert_int_equal(su_window_flush(window, NULL), 0); /* nothing to write */
        assert_int_equal(su_window_append(window, bytes, sizeof bytes, NULL), 0);
        window->settled = window->end;
        assert_true(su_window_flush(window, NULL) < 0);
        free(written.bytes);
        su_window_done(window);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_projection),  cmocka_unit_test(test_spans),
                cmocka_unit_test(test_memory),      cmocka_unit_test(test_full_memory),
                cmocka_unit_test(test_window),      cmocka_unit_test(test_failing_sink),
                cmocka_unit_test(test_held_window),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
