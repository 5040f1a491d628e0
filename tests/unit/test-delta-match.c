/* What the encoder searches: suffixes against brute force, matches that make sense, modules that
 * find their like; and heads. */
#include "random.h"
#include "sample-elf.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "delta/apply/header.h"
#include "delta/make/match.h"
#include "delta/make/modules.h"

/* ---- suffixes ---- */

#define TEXT 300

struct best {
        size_t length, count;
        int64_t distance; /* of the nearest one */
};

static struct best find_slowly(const uint8_t *text, size_t size, const uint8_t *pattern,
                               size_t pattern_size, int64_t wanted)
{
        struct best best = {0};

        for (size_t i = 0; i < size; i++) {
                size_t n = 0;
                int64_t away = llabs((int64_t)i - wanted);

                while (n < pattern_size && i + n < size && text[i + n] == pattern[n])
                        n++;
                if (n > best.length)
                        best = (struct best){n, 0, INT64_MAX};
                if (n == best.length) {
                        best.count++;
                        if (away < best.distance)
                                best.distance = away;
                }
        }
        return best;
}

static void fill_letters(uint8_t *text, size_t size, unsigned letters, uint64_t *seed)
{
        for (size_t i = 0; i < size; i++)
                text[i] = (uint8_t)(random_below(seed, letters) * 0x55);
}

static void check_find(const struct su_suffixes *suffixes, const uint8_t *pattern, size_t size,
                       int64_t wanted)
{
        size_t position, length = su_suffixes_find(suffixes, pattern, size, wanted, &position);
        struct best best = find_slowly(suffixes->text, suffixes->size, pattern, size, wanted);

        assert_true(position + length <= suffixes->size);
        assert_memory_equal(suffixes->text + position, pattern, length);
        if (best.length < 4 || size < 4)
                return;
        assert_int_equal(length, best.length);
        if (best.count < 60) /* of more not all are looked at */
                assert_int_equal(llabs((int64_t)position - wanted), best.distance);
}

static void test_suffixes(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed < 60; seed++) {
                uint64_t random = seed;
                uint8_t text[TEXT + 8] = {0}, pattern[64 + 8] = {0};
                su_auto_suffixes struct su_suffixes suffixes = {0};
                size_t size = random_below(&random, TEXT + 1);
                struct su_error err = {0};

                fill_letters(text, size, (unsigned)(seed % 3) + 1, &random);
                assert_ok(su_suffixes_make(text, size, &suffixes, &err), err);
                for (unsigned i = 0; i < 200; i++) {
                        size_t n = random_below(&random, 65);

                        fill_letters(pattern, n, (unsigned)(seed % 3) + 1, &random);
                        if (i % 2 && size > n)
                                memcpy(pattern, text + random_below(&random, size - n), n);
                        check_find(&suffixes, pattern, n, (int64_t)random_below(&random, TEXT));
                }
        }
}

static void test_common_length(void **state)
{
        uint8_t a[80], b[80];

        (void)state;
        fill_noise(a, sizeof a, 1);
        for (size_t i = 0; i < 64; i++)
                for (size_t size = 0; size < 64; size++) {
                        memcpy(b, a, sizeof b);
                        b[i] ^= 0x80;
                        assert_int_equal(su_common_length(a, b, size), i < size ? i : size);
                }
}

/* ---- matches ---- */

static void check_operations(const struct su_texts *texts, const struct su_operations *operations)
{
        uint64_t end = 0;

        for (size_t i = 0; i < operations->n; i++) {
                const struct su_operation *operation = &operations->items[i];

                assert_true(operation->length > 0);
                assert_true(operation->to >= end);
                end = (uint64_t)operation->to + operation->length;
                assert_true(end <= texts->new_size);
                assert_true((uint64_t)operation->from + operation->length <= texts->old_size);
        }
}

/* Bytes of the new text that copies and the differences in them do not account for. */
static size_t count_unlike(const struct su_texts *texts, const struct su_operations *operations)
{
        size_t alike = 0;

        for (size_t i = 0; i < operations->n; i++)
                for (uint32_t j = 0; j < operations->items[i].length; j++)
                        alike += texts->new[operations->items[i].to + j] ==
                                 texts->old[operations->items[i].from + j];
        return texts->new_size - alike;
}

static size_t match(const uint8_t *old, size_t old_size, const uint8_t *new, size_t new_size,
                    struct su_operations *ret)
{
        struct su_texts texts = {
                .old = old, .new = new, .old_size = old_size, .new_size = new_size};
        su_auto_suffixes struct su_suffixes suffixes = {0};
        struct su_error err = {0};

        assert_ok(su_suffixes_make(old, old_size, &suffixes, &err), err);
        assert_ok(su_match(&texts, &suffixes, 12, ret, &err), err);
        check_operations(&texts, ret);
        return count_unlike(&texts, ret);
}

#define OLD 8000

static void test_match_finds(void **state)
{
        static uint8_t old[OLD + 8], new[2 * OLD + 8];
        su_auto_operations struct su_operations same = {0}, inserted = {0}, moved = {0};

        (void)state;
        fill_noise(old, OLD, 1);
        assert_int_equal(match(old, OLD, old, OLD, &same), 0);
        assert_int_equal(same.n, 1);
        memcpy(new, old, 3000); /* an insertion, and a byte that differs */
        fill_noise(new + 3000, 50, 2);
        memcpy(new + 3050, old + 3000, OLD - 3000);
        new[5000] ^= 1;
        assert_int_equal(match(old, OLD, new, OLD + 50, &inserted), 51);
        assert_int_equal(inserted.n, 2);
        memcpy(new, old + 4000, 4000); /* halves change places */
        memcpy(new + 4000, old, 4000);
        assert_int_equal(match(old, OLD, new, OLD, &moved), 0);
        assert_int_equal(moved.n, 2);
}

static void test_match_edges(void **state)
{
        static uint8_t old[OLD + 8], new[OLD + 8];
        su_auto_operations struct su_operations operations = {0};

        (void)state;
        assert_int_equal(match(old, 0, new, 0, &operations), 0);
        assert_int_equal(match(old, 0, new, 100, &operations), 100);
        assert_int_equal(match(old, 100, new, 0, &operations), 0);
        assert_int_equal(operations.n, 0);
        for (size_t size = 0; size < 40; size++) { /* zeros: everything agrees everywhere */
                operations.n = 0;
                (void)match(old, 40 - size, new, size, &operations);
        }
        operations.n = 0;
        assert_int_equal(match(old, OLD, new, OLD, &operations), 0);
}

/* Texts of pieces of each other, of few letters and of many. */
static void test_match_random(void **state)
{
        static uint8_t old[OLD + 8], new[OLD + 8];

        (void)state;
        for (uint64_t seed = 1; seed < 40; seed++) {
                su_auto_operations struct su_operations operations = {0};
                uint64_t random = seed;
                size_t old_size = random_below(&random, OLD), new_size = 0;

                fill_letters(old, old_size, (unsigned)(seed % 4) + 1, &random);
                while (old_size > 0 && new_size < OLD - 700) {
                        size_t at = random_below(&random, old_size);
                        size_t n = random_below(&random, 400);

                        n = n < old_size - at ? n : old_size - at;
                        memcpy(new + new_size, old + at, n);
                        new_size += n;
                        n = random_below(&random, 8);
                        fill_letters(new + new_size, n, 4, &random);
                        new_size += n;
                        if (n == 0 && old_size < 10)
                                new_size++;
                }
                assert_true(match(old, old_size, new, new_size, &operations) <= new_size);
        }
}

/* ---- modules ---- */

static void put_sample(uint8_t *image, size_t at, struct sample_elf sample)
{
        sample_elf_make(&sample);
        memcpy(image + at, sample.data, sample.size);
        free(sample.data);
}

static size_t size_of_sample(struct sample_elf sample)
{
        sample_elf_make(&sample);
        free(sample.data);
        return sample.size;
}

static void test_modules(void **state)
{
        static uint8_t old[40960], new[40960];
        const struct sample_elf x86 = {.machine = EM_X86_64, .functions = 40};
        const struct sample_elf a64 = {.machine = EM_AARCH64, .functions = 40};
        struct sample_elf later = a64;
        su_auto_found_modules struct su_found_modules found = {0}, target = {0};
        struct su_error err = {0};

        (void)state;
        put_sample(old, 4096, x86);
        put_sample(old, 16384, a64);
        assert_ok(su_modules_find(old, sizeof old, 3, &found, &err), err);
        assert_int_equal(found.n, 2);
        assert_int_equal(found.items[0].offset, 4096);
        assert_int_equal(found.items[0].size, size_of_sample(x86));
        assert_int_equal(found.items[0].source, 3);
        assert_int_equal(found.items[1].offset, 16384);
        assert_int_equal(found.items[1].machine, EM_AARCH64);
        later.version = 1;
        put_sample(new, 0, later);
        put_sample(new, 20480, (struct sample_elf){.machine = EM_386, .functions = 5});
        assert_ok(su_modules_find(new, sizeof new, 0, &target, &err), err);
        assert_int_equal(target.n, 1);
        assert_ptr_equal(su_modules_match(&found, &target.items[0]), &found.items[1]);
        found.n = 1; /* the other machine's */
        assert_null(su_modules_match(&found, &target.items[0]));
}

/* Of many the one that shares most. */
static void test_most_similar_module(void **state)
{
        static uint8_t image[8 * 16384];
        su_auto_found_modules struct su_found_modules old = {0}, new = {0};
        struct su_error err = {0};

        (void)state;
        for (unsigned i = 0; i < 8; i++)
                put_sample(image, i * 16384,
                           (struct sample_elf){
                                   .machine = EM_X86_64, .functions = 40 + 5 * i, .version = i});
        assert_ok(su_modules_find(image, sizeof image, 0, &old, &err), err);
        assert_int_equal(old.n, 8);
        memset(image, 0, 16384);
        put_sample(image, 0,
                   (struct sample_elf){.machine = EM_X86_64, .functions = 65, .version = 5});
        image[9000] ^= 1;
        assert_ok(su_modules_find(image, 16384, 0, &new, &err), err);
        assert_ptr_equal(su_modules_match(&old, &new.items[0]), &old.items[5]);
}

/* ---- heads ---- */

static void check_header(uint64_t seed)
{
        su_auto_delta_header struct su_delta_header header = {0}, parsed = {0};
        su_auto_free uint8_t *data = NULL;
        size_t n = random_below(&seed, 20), size;
        struct su_error err = {0};

        assert_ok(su_delta_header_new(n, &header, &err), err);
        header.method = (enum su_delta_method)random_below(&seed, SU_DELTA_METHODS);
        header.target_size = (random_wide(&seed) % (SU_DELTA_TARGET_BYTES_MAX + 1));
        fill_noise(header.target.bytes, sizeof header.target.bytes, (uint32_t)seed);
        for (size_t i = 0; i < n; i++) {
                header.source_sizes[i] = random_wide(&seed) % (SU_DELTA_SOURCE_BYTES_MAX / 20);
                if (n > 1)
                        fill_noise(header.name_checks[i], SU_DELTA_NAME_CHECK_SIZE, (uint32_t)i);
        }
        if (n > 0)
                fill_noise(header.source_check, sizeof header.source_check, 9);
        assert_ok(su_delta_header_format(&header, &data, &size, &err), err);
        assert_ok(su_delta_header_parse(data, size, &parsed, &err), err);
        assert_int_equal(parsed.size, size);
        assert_int_equal(parsed.method, header.method);
        assert_int_equal(parsed.target_size, header.target_size);
        assert_int_equal(parsed.n_sources, n);
        assert_memory_equal(&parsed.target, &header.target, sizeof header.target);
        assert_memory_equal(parsed.source_check, header.source_check, sizeof header.source_check);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(parsed.source_sizes[i], header.source_sizes[i]);
                assert_memory_equal(parsed.name_checks[i], header.name_checks[i],
                                    SU_DELTA_NAME_CHECK_SIZE);
        }
        for (size_t cut = 0; cut < size; cut++)
                assert_true(su_delta_header_parse(data, cut, &(struct su_delta_header){0}, NULL) <
                            0);
}

static void test_headers(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed < 300; seed++)
                check_header(seed);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_suffixes),
                cmocka_unit_test(test_common_length),
                cmocka_unit_test(test_match_finds),
                cmocka_unit_test(test_match_edges),
                cmocka_unit_test(test_match_random),
                cmocka_unit_test(test_modules),
                cmocka_unit_test(test_most_similar_module),
                cmocka_unit_test(test_headers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
