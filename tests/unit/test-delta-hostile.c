/* Deltas that are wrong in one way each, and what is said of them; and what the worst of them may
 * cost. */
#include "forge-delta.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "delta/apply/apply.h"
#include "delta/make/parts_make.h"
#include "sample-elf.h"

#define OLD "The quick brown fox jumps over the lazy dog, again and again and again.\n"
#define NEW "The quick brown cat jumps over the lazy dog, again and again and again.\n"

static const char *const names[] = {"one", "two", "three", "four"};

static const uint8_t *bytes(const char *text)
{
        return (const uint8_t *)text;
}

static int apply_sealed(struct forge *forge, int patch_fd, struct su_error *err)
{
        su_auto_close int target_fd = memory_file_of("", 0);

        return su_delta_apply(patch_fd, forge->fds, names, forge->head.n_sources, target_fd, NULL,
                              NULL, err);
}

/* Seals, applies, and wants a refusal that says `message`; NULL: success. */
static void check(struct forge *forge, const char *message)
{
        su_auto_close int patch_fd = forge_seal(forge);
        struct su_error err = {0};

        if (message)
                assert_fails_with(apply_sealed(forge, patch_fd, &err), err, DELTA, message);
        else
                assert_ok(apply_sealed(forge, patch_fd, &err), err);
        forge_done(forge);
}

static void begin(struct forge *forge, enum su_delta_method method)
{
        forge_init(forge, method, bytes(NEW), strlen(NEW));
        forge_add_source(forge, OLD, strlen(OLD));
}

/* ---- targets ---- */

static void test_stored(void **state)
{
        struct forge forge;

        (void)state;
        begin(&forge, SU_DELTA_STORED);
        forge_append(&forge, NEW, strlen(NEW));
        check(&forge, NULL);
        begin(&forge, SU_DELTA_STORED);
        forge_append(&forge, NEW "?", strlen(NEW) + 1);
        check(&forge, "yields more than it declares");
        begin(&forge, SU_DELTA_STORED);
        forge_append(&forge, NEW, strlen(NEW) - 1);
        check(&forge, "yields less than it declares");
        begin(&forge, SU_DELTA_STORED);
        forge_append(&forge, OLD, strlen(OLD));
        check(&forge, "yields other bytes than it declares");
}

static void append_frame(struct forge *forge, const char *text)
{
        su_auto_bytes struct su_bytes packed = {0};

        assert_true(su_pack(bytes(text), strlen(text), NULL, 0, 3, 0, &packed, NULL) >= 0);
        forge_append(forge, packed.data, packed.size);
}

static void test_zstd(void **state)
{
        struct forge forge;

        (void)state;
        begin(&forge, SU_DELTA_ZSTD);
        append_frame(&forge, NEW);
        check(&forge, NULL);
        begin(&forge, SU_DELTA_ZSTD);
        append_frame(&forge, NEW);
        forge_append(&forge, "", 1);
        check(&forge, "bytes follow the end");
        begin(&forge, SU_DELTA_ZSTD);
        append_frame(&forge, NEW);
        forge.body_size--;
        check(&forge, "ends too early");
        begin(&forge, SU_DELTA_ZSTD);
        check(&forge, "ends too early");
        begin(&forge, SU_DELTA_ZSTD);
        append_frame(&forge, NEW NEW);
        check(&forge, "yields more than it declares");
        begin(&forge, SU_DELTA_ZSTD);
        forge_append(&forge, "\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377", 15);
        check(&forge, "the delta is damaged: ");
}

/* A frame that asks for a window of 2^31 bytes, where 2^17 are enough. */
static void test_zstd_window(void **state)
{
        struct forge forge;

        (void)state;
        begin(&forge, SU_DELTA_ZSTD);
        forge_append(&forge, "\0\250\1\0\0", 5);
        check(&forge, "requires too much memory");
}

/* ---- heads ---- */

static void test_head(void **state)
{
        static const struct {
                const char *bytes;
                size_t size;
                const char *message;
        } cases[] = {
                {"", 0, "the delta is empty"},
                {"SUD", 3, "this is not a delta file"},
                {"SUDELTA", 7, "this version of deltas is not known"},
                {"SUTDELTA", 8, "this is not a delta file"},
                {"SUD1aaaa", 8, "this version of deltas is not known"},
                {"SUD2", 4, "the delta ends too early"},
                {"SUD2\2", 5, "the delta ends too early"},
                {"SUD2\2\377\377\377\377\377\377\377\377\377\377\1", 16, "ends too early"},
                {"SUD2\377\377\377\17\1", 9, "the delta names too many sources"},
                {"SUD2\2\201\200\200\200\10", 10, "the delta's target is too large"},
                {"SUD2\6\1\200\200\200\200\20", 11, "the delta's sources are too large"},
                {"SUD2\12\1\0aaaa", 11, "the delta ends too early"},
                {"SUD2\2\0" OLD, 37, "the delta ends too early"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_close int fd = memory_file_of(cases[i].bytes, cases[i].size);
                struct su_delta_header header;
                struct su_error err = {0};

                assert_fails_with(su_delta_header_read(fd, &header, &err), err, DELTA,
                                  cases[i].message);
        }
}

static void begin_two(struct forge *forge)
{
        begin(forge, SU_DELTA_STORED);
        forge_add_source(forge, NEW, strlen(NEW));
        forge_append(forge, NEW, strlen(NEW));
}

/* A byte of the head changes after it was sealed: which source is meant is said, if it is known. */
static void check_patched(struct forge *forge, size_t at, enum su_error_code code,
                          const char *message)
{
        su_auto_close int fd = forge_seal(forge);
        struct su_error err = {0};
        uint8_t byte;
        int r;

        assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
        byte ^= 2;
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        r = apply_sealed(forge, fd, &err);
        check_fails(r, &err, code, "apply", __FILE__, __LINE__);
        assert_contains(err.message, message);
        forge_done(forge);
}

static void test_sources(void **state)
{
        struct forge forge;

        (void)state;
        begin_two(&forge);
        check(&forge, NULL);
        begin_two(&forge); /* magic, counts, target's size, size, name, size, name, check, target */
        check_patched(&forge, 6, SU_ERROR_BASELINE, "'one' is shorter than the delta expects");
        begin_two(&forge);
        check_patched(&forge, 7, SU_ERROR_BASELINE, "'one' is not the file the delta expects");
        begin_two(&forge);
        check_patched(&forge, 11, SU_ERROR_BASELINE, "'two' is shorter than the delta expects");
        begin_two(&forge);
        check_patched(&forge, 12, SU_ERROR_BASELINE, "'two' is not the file the delta expects");
        begin_two(&forge);
        check_patched(&forge, 16, SU_ERROR_BASELINE, "'one of the sources' is not the file");
        begin_two(&forge);
        check_patched(&forge, 24, SU_ERROR_DELTA, "yields other bytes");
        begin(&forge, SU_DELTA_STORED);
        forge_append(&forge, NEW, strlen(NEW));
        check_patched(&forge, 7, SU_ERROR_BASELINE, "'one' is not the file the delta expects");
}

static void test_other_sources(void **state)
{
        struct forge forge;
        su_auto_close int fd = -EBADF;
        struct su_error err = {0};

        (void)state;
        begin_two(&forge);
        fd = forge_seal(&forge);
        forge.head.n_sources = 1;
        assert_fails_with(apply_sealed(&forge, fd, &err), err, DELTA,
                          "the delta wants 2 sources, not 1");
        forge.head.n_sources = 2;
        assert_int_equal(write(forge.fds[1], OLD OLD, 2 * strlen(OLD)), 2 * strlen(OLD));
        assert_fails_with(apply_sealed(&forge, fd, &err), err, BASELINE,
                          "'two' is longer than the delta expects");
        forge_done(&forge);
}

/* ---- parts ---- */

static uint8_t space[SU_DELTA_SPACE_ALIGNMENT + 8] = OLD;

static struct forge_part plain(const char *target, const struct su_operation *operations, size_t n)
{
        return (struct forge_part){
                .part = {.kind = SU_PART_PLAIN, .size = strlen(target)},
                .coded = {.old = space,
                          .old_size = SU_DELTA_SPACE_ALIGNMENT,
                          .size = strlen(target),
                          .want = bytes(target),
                          .operations = operations,
                          .n_operations = n},
        };
}

static void test_parts(void **state)
{
        struct forge_part part = plain(NEW, NULL, 0);
        struct forge forge;

        (void)state;
        begin(&forge, SU_DELTA_PARTS);
        forge_code(&forge, SU_DELTA_PARTS_MAX + 1, NULL, 0);
        check(&forge, "too many parts");
        begin(&forge, SU_DELTA_PARTS);
        forge_code(&forge, UINT64_MAX - 1, NULL, 0);
        check(&forge, "too many parts");
        begin(&forge, SU_DELTA_PARTS);
        forge_code(&forge, 0, NULL, 0);
        check(&forge, "yields less than it declares");
        part = (struct forge_part){.part = {.kind = SU_PART_KINDS, .size = 1}};
        begin(&forge, SU_DELTA_PARTS);
        forge_code(&forge, 1, &part, 1);
        check(&forge, "a part makes no sense");
        part.part = (struct su_delta_part){.kind = SU_PART_PLAIN, .size = UINT64_MAX};
        begin(&forge, SU_DELTA_PARTS);
        forge_code(&forge, 1, &part, 1);
        check(&forge, "a part makes no sense");
}

static void test_packed(void **state)
{
        struct forge_part part = {.part = {.kind = SU_PART_PACKED, .size = strlen(NEW)}};
        struct forge forge;

        (void)state;
        begin(&forge, SU_DELTA_PACKED);
        forge_code(&forge, 1, &part, 1);
        append_frame(&forge, NEW);
        check(&forge, NULL);
        begin(&forge, SU_DELTA_PARTS);
        forge_code(&forge, 1, &part, 1);
        check(&forge, "it has no packed bytes");
        begin(&forge, SU_DELTA_PACKED);
        forge_append(&forge, "\0\0\0", 3);
        check(&forge, "ends too early");
        begin(&forge, SU_DELTA_PACKED);
        forge_append(&forge, "\377\377\377\377abcd", 8);
        check(&forge, "ends too early");
        begin(&forge, SU_DELTA_PACKED);
        forge_code(&forge, 1, &part, 1);
        append_frame(&forge, "less");
        check(&forge, "ends too early");
        begin(&forge, SU_DELTA_PACKED);
        forge_code(&forge, 1, &part, 1);
        append_frame(&forge, NEW NEW);
        check(&forge, "yields more than it declares");
        begin(&forge, SU_DELTA_PACKED);
        forge_code(&forge, 1, &part, 1);
        append_frame(&forge, NEW);
        forge_append(&forge, "", 1);
        check(&forge, "bytes follow the end");
}

static void test_coded_bytes(void **state)
{
        struct forge_part part = plain(NEW, NULL, 0);
        struct forge forge;

        (void)state;
        begin(&forge, SU_DELTA_PARTS);
        forge_code(&forge, 1, &part, 1);
        check(&forge, NULL);
        begin(&forge, SU_DELTA_PARTS);
        forge_code(&forge, 1, &part, 1);
        forge_append(&forge, "", 1);
        check(&forge, "bytes follow the end of the delta");
}

/* Behind the end there are zeros, which may make sense for long; then it is the digest that does
 * not fit. */
static void test_cut_bytes(void **state)
{
        uint8_t noise[600];
        struct forge_part part = {.part = {.size = sizeof noise}};
        struct forge forge;
        size_t said = 0;

        (void)state;
        fill_noise(noise, sizeof noise, 3);
        part.coded = (struct su_part){.old = space,
                                      .old_size = SU_DELTA_SPACE_ALIGNMENT,
                                      .size = sizeof noise,
                                      .want = noise};
        forge_init(&forge, SU_DELTA_PARTS, noise, sizeof noise);
        forge_add_source(&forge, OLD, strlen(OLD));
        forge_code(&forge, 1, &part, 1);
        while (forge.body_size-- > 0) {
                su_auto_close int patch_fd = forge_seal(&forge);
                struct su_error err = {0};

                assert_fails(apply_sealed(&forge, patch_fd, &err), err, DELTA);
                said += strstr(err.message, "it ends too early, or asks for more work") != NULL;
        }
        forge.body_size = 0;
        forge_done(&forge);
        assert_true(said > 300);
}

static void test_operations(void **state)
{
        static const struct {
                struct su_operation operation;
                const char *message;
        } cases[] = {
                {{0, 0, 72}, NULL},
                {{0, 0, 73}, "a copy lies outside its file"},
                {{1, 0, 72}, "a copy lies outside its file"},
                {{0, SU_DELTA_SPACE_ALIGNMENT - 71, 72}, "a copy lies outside its file"},
                {{0, 0, 0}, "a copy lies outside its file"},
                {{0, UINT32_MAX, 1}, "a copy lies outside its file"},
                {{72, 0, 1}, "a copy lies outside its file"},
                {{UINT32_MAX, 0, 1}, "a copy lies outside its file"},
                {{0, 0, UINT32_MAX}, "a copy lies outside its file"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                struct forge_part part = plain(NEW, &cases[i].operation, 1);
                struct forge forge;

                begin(&forge, SU_DELTA_PARTS);
                forge_code(&forge, 1, &part, 1);
                check(&forge, cases[i].message);
        }
}

static void test_too_many_operations(void **state)
{
        static const struct su_operation operation = {0, 0, 1};
        struct forge_part part = plain(NEW, &operation, SU_OPERATIONS_MAX + 1);
        struct forge forge;

        (void)state;
        begin(&forge, SU_DELTA_PARTS);
        forge_code(&forge, 1, &part, 1);
        check(&forge, "too many operations");
}

/* ---- modules ---- */

/* A module part that makes nothing of a sample. */
struct module_case {
        struct sample_elf sample;
        struct su_module module;
        struct su_elf shape;
        struct forge_part part;
};

static void module_case_init(struct module_case *ret)
{
        memset(ret, 0, sizeof *ret);
        ret->sample = (struct sample_elf){.machine = EM_X86_64, .functions = 8};
        sample_elf_make(&ret->sample);
        assert_true(su_module_open(ret->sample.data, ret->sample.size, &ret->module, NULL) >= 0);
        ret->part.part = (struct su_delta_part){
                .kind = SU_PART_MODULE, .size = strlen(NEW), .source_size = ret->sample.size};
        ret->part.coded = (struct su_part){.old = ret->sample.data,
                                           .old_size = ret->sample.size,
                                           .module = &ret->module,
                                           .size = strlen(NEW),
                                           .want = bytes(NEW),
                                           .shape = &ret->shape};
}

static void module_case_check(struct module_case *test, const char *message)
{
        struct forge forge;

        forge_init(&forge, SU_DELTA_PARTS, bytes(NEW), strlen(NEW));
        forge_add_source(&forge, test->sample.data, test->sample.size);
        forge_code(&forge, 1, &test->part, 1);
        check(&forge, message);
        su_module_done(&test->module);
        free(test->sample.data);
}

static void test_module_outside_its_source(void **state)
{
        struct module_case test;

        (void)state;
        module_case_init(&test);
        module_case_check(&test, NULL);
        module_case_init(&test);
        test.part.part.source = 1;
        module_case_check(&test, "a module lies outside its source");
        module_case_init(&test);
        test.part.part.source_offset = test.sample.size + 1;
        module_case_check(&test, "a module lies outside its source");
        module_case_init(&test);
        test.part.part.source_size *= 2;
        module_case_check(&test, "a module lies outside its source");
}

static void test_segments(void **state)
{
        struct module_case test;
        const struct su_elf_segment wrong[] = {
                {.offset = strlen(NEW) + 1},
                {.file_size = strlen(NEW) + 1, .memory_size = strlen(NEW) + 1},
                {.offset = 1, .file_size = strlen(NEW), .memory_size = strlen(NEW)},
                {.file_size = 2, .memory_size = 1},
                {.memory_size = (UINT64_C(1) << 31) + 1},
                {.offset = UINT64_C(1) << 62},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++) {
                module_case_init(&test);
                test.shape.n_segments = 1;
                test.shape.segments[0] = wrong[i];
                module_case_check(&test, "a segment lies outside its file");
        }
        module_case_init(&test);
        test.shape.n_segments = SU_ELF_SEGMENTS_MAX + 1;
        module_case_check(&test, "too many segments");
}

/* Operations on zero-filled memory, which modules have. */
static void test_operations_of_zero_memory(void **state)
{
        static const struct {
                uint32_t to, from, length; /* both beyond the files */
                const char *message;
        } cases[] = {
                {0, 0, 100, NULL},
                {0, 0, 101, "a copy lies outside its file"},
                {1, 0, 100, "a copy lies outside its file"},
                {0, 200, 57, "a copy lies outside its file"},
                {101, 0, 1, "a copy lies outside its file"},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                struct module_case test;
                struct su_operation operation;

                module_case_init(&test); /* its memory is 256 bytes larger than the file */
                test.shape.n_segments = 1;
                test.shape.segments[0].memory_size = 100;
                test.shape.zero_size = 100;
                operation = (struct su_operation){(uint32_t)strlen(NEW) + cases[i].to,
                                                  (uint32_t)test.sample.size + cases[i].from,
                                                  cases[i].length};
                test.part.coded.operations = &operation;
                test.part.coded.n_operations = 1;
                module_case_check(&test, cases[i].message);
        }
}

/* ---- work and memory ---- */

/* Few bytes that ask for 2^18 copies of a byte each. */
static void test_too_many_decisions(void **state)
{
        size_t n = SU_OPERATIONS_MAX;
        su_auto_free struct su_operation *operations = calloc(n, sizeof *operations);
        su_auto_free uint8_t *target = calloc(1, n);
        su_auto_free uint8_t *old = calloc(1, SU_DELTA_SPACE_ALIGNMENT);
        struct forge_part part = {.part = {.kind = SU_PART_PLAIN, .size = n}};
        struct forge forge;

        (void)state;
        assert_true(operations && target && old);
        for (uint32_t i = 0; i < n; i++)
                operations[i] = (struct su_operation){i, i % 2 * 7, 1};
        part.coded = (struct su_part){.old = old,
                                      .old_size = SU_DELTA_SPACE_ALIGNMENT,
                                      .size = n,
                                      .want = target,
                                      .operations = operations,
                                      .n_operations = n};
        forge_init(&forge, SU_DELTA_PARTS, target, n);
        forge_add_source(&forge, old, 100);
        forge_code(&forge, 1, &part, 1);
        assert_true(forge.body_size < 100000);
        check(&forge, "asks for more work than it declares");
}

/* Parts without end that each ask for the analysis of a source, and make nothing. */
static void test_too_much_analysis(void **state)
{
        size_t size = 1 << 20, n = 64;
        su_auto_free uint8_t *old = calloc(1, size);
        su_auto_free struct forge_part *parts = calloc(n, sizeof *parts);
        su_auto_module struct su_module module = {0};
        struct su_elf shape = {0};
        struct forge forge;

        (void)state;
        assert_true(old && parts);
        assert_true(su_module_open(old, size, &module, NULL) >= 0);
        for (size_t i = 0; i < n; i++)
                parts[i] = (struct forge_part){
                        .part = {.kind = SU_PART_MODULE, .source_size = size},
                        .coded = {.old = old,
                                  .old_size = size,
                                  .module = &module,
                                  .want = old,
                                  .shape = &shape},
                };
        forge_init(&forge, SU_DELTA_PARTS, old, 0);
        forge_add_source(&forge, old, size);
        forge_code(&forge, n, parts, n);
        check(&forge, "it asks for more work than is allowed");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stored),
                cmocka_unit_test(test_zstd),
                cmocka_unit_test(test_zstd_window),
                cmocka_unit_test(test_head),
                cmocka_unit_test(test_sources),
                cmocka_unit_test(test_other_sources),
                cmocka_unit_test(test_parts),
                cmocka_unit_test(test_packed),
                cmocka_unit_test(test_coded_bytes),
                cmocka_unit_test(test_cut_bytes),
                cmocka_unit_test(test_operations),
                cmocka_unit_test(test_too_many_operations),
                cmocka_unit_test(test_module_outside_its_source),
                cmocka_unit_test(test_segments),
                cmocka_unit_test(test_operations_of_zero_memory),
                cmocka_unit_test(test_too_many_decisions),
                cmocka_unit_test(test_too_much_analysis),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
