#include "support.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "delta/apply/apply.h"
#include "delta/apply/format.h"
#include "delta/make/make.h"

#define OLD_SIZE 6000

/* Two sources, a target that holds parts of both, and the delta between them. */
struct sample {
        uint8_t old[OLD_SIZE];
        uint8_t target[OLD_SIZE];
        int sources[2];
        int target_fd;
        int patch_fd;
        uint8_t *patch;
        size_t patch_size;
};

static const char *const names[] = {"first", "second"};

static size_t size_of(int fd)
{
        struct stat st;

        assert_int_equal(fstat(fd, &st), 0);
        return (size_t)st.st_size;
}

static void load_patch(struct sample *sample)
{
        sample->patch_size = size_of(sample->patch_fd);
        sample->patch = malloc(sample->patch_size);
        assert_non_null(sample->patch);
        assert_int_equal(su_read_exact_at(sample->patch_fd, sample->patch, sample->patch_size, 0,
                                          "patch", NULL),
                         0);
}

static int setup(void **state)
{
        struct sample *sample = calloc(1, sizeof *sample);
        struct su_error err = {0};

        assert_non_null(sample);
        fill_noise(sample->old, sizeof sample->old, 1);
        memcpy(sample->target, sample->old + 2000, 4000);
        memcpy(sample->target + 4000, sample->old, 2000);
        memcpy(sample->target + 1000, "a fix", 5);
        sample->sources[0] = memory_file_of(sample->old, 2500);
        sample->sources[1] = memory_file_of(sample->old + 2500, OLD_SIZE - 2500);
        sample->target_fd = memory_file_of(sample->target, sizeof sample->target);
        sample->patch_fd = memory_file_of("", 0);
        assert_ok(su_delta_make(sample->sources, names, 2, sample->target_fd, sample->patch_fd,
                                SU_DELTA_BEST, &err),
                  err);
        load_patch(sample);
        *state = sample;
        return 0;
}

static int teardown(void **state)
{
        struct sample *sample = *state;

        su_close_fd(&sample->sources[0]);
        su_close_fd(&sample->sources[1]);
        su_close_fd(&sample->target_fd);
        su_close_fd(&sample->patch_fd);
        free(sample->patch);
        free(sample);
        return 0;
}

static int apply_bytes(const struct sample *sample, const void *patch, size_t size,
                       struct su_error *err)
{
        su_auto_close int patch_fd = memory_file_of(patch, size);
        su_auto_close int out_fd = memory_file_of("", 0);
        uint8_t out[OLD_SIZE];
        int r;

        r = su_delta_apply(patch_fd, sample->sources, names, 2, out_fd, NULL, NULL, err);
        if (r < 0)
                return r;
        assert_int_equal(size_of(out_fd), sizeof out);
        assert_int_equal(su_read_exact_at(out_fd, out, sizeof out, 0, "out", NULL), 0);
        assert_memory_equal(out, sample->target, sizeof out);
        return 0;
}

static void test_round_trip(void **state)
{
        struct sample *sample = *state;
        struct su_error err = {0};

        assert_true(sample->patch_size < 400); /* noise: all of it came from the sources */
        assert_ok(apply_bytes(sample, sample->patch, sample->patch_size, &err), err);
}

static void test_same_input_same_bytes(void **state)
{
        struct sample *sample = *state;
        su_auto_close int again_fd = memory_file_of("", 0);
        uint8_t *again;
        struct su_error err = {0};

        assert_ok(su_delta_make(sample->sources, names, 2, sample->target_fd, again_fd,
                                SU_DELTA_BEST, &err),
                  err);
        assert_int_equal(size_of(again_fd), sample->patch_size);
        again = malloc(sample->patch_size);
        assert_non_null(again);
        assert_int_equal(su_read_exact_at(again_fd, again, sample->patch_size, 0, "again", NULL),
                         0);
        assert_memory_equal(again, sample->patch, sample->patch_size);
        free(again);
}

static void test_without_sources(void **state)
{
        struct sample *sample = *state;
        su_auto_close int patch_fd = memory_file_of("", 0);
        su_auto_close int out_fd = memory_file_of("", 0);
        struct su_error err = {0};

        assert_ok(su_delta_make(NULL, NULL, 0, sample->target_fd, patch_fd, SU_DELTA_BEST, &err),
                  err);
        assert_ok(su_delta_apply(patch_fd, NULL, NULL, 0, out_fd, NULL, NULL, &err), err);
        assert_int_equal(size_of(out_fd), OLD_SIZE);
}

static void test_empty_source_and_target(void **state)
{
        su_auto_close int empty_fd = memory_file_of("", 0);
        su_auto_close int patch_fd = memory_file_of("", 0);
        su_auto_close int out_fd = memory_file_of("", 0);
        struct su_error err = {0};

        (void)state;
        assert_ok(su_delta_make(&empty_fd, names, 1, empty_fd, patch_fd, SU_DELTA_BEST, &err), err);
        assert_ok(su_delta_apply(patch_fd, &empty_fd, names, 1, out_fd, NULL, NULL, &err), err);
        assert_int_equal(size_of(out_fd), 0);
}

static void test_header(void **state)
{
        struct sample *sample = *state;
        su_auto_delta_header struct su_delta_header header = {0};
        struct su_error err = {0};

        assert_ok(su_delta_header_read(sample->patch_fd, &header, &err), err);
        assert_int_equal(header.method, SU_DELTA_PARTS);
        assert_int_equal(header.n_sources, 2);
        assert_int_equal(header.source_sizes[0], 2500);
        assert_int_equal(header.source_sizes[1], OLD_SIZE - 2500);
        assert_int_equal(header.target_size, OLD_SIZE);
        assert_in_range(header.size, 50, 80);
}

static void test_every_truncation_fails(void **state)
{
        struct sample *sample = *state;

        for (size_t size = 0; size < sample->patch_size; size++) {
                struct su_error err = {0};

                assert_fails(apply_bytes(sample, sample->patch, size, &err), err, DELTA);
        }
}

/* apply_bytes() compares the target when it succeeds. */
static void test_every_flipped_bit_fails_or_is_harmless(void **state)
{
        struct sample *sample = *state;
        size_t harmless = 0;

        for (size_t bit = 0; bit < 8 * sample->patch_size; bit++) {
                struct su_error err = {0};

                sample->patch[bit / 8] ^= (uint8_t)(1U << (bit % 8));
                if (apply_bytes(sample, sample->patch, sample->patch_size, &err) >= 0)
                        harmless++;
                else
                        assert_true(err.code == SU_ERROR_DELTA || err.code == SU_ERROR_BASELINE);
                sample->patch[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
        assert_true(harmless <= 8); /* zstd's frame header has a bit without meaning */
}

static void test_trailing_bytes_are_refused(void **state)
{
        struct sample *sample = *state;
        uint8_t *longer = malloc(sample->patch_size + 1);
        struct su_error err = {0};

        assert_non_null(longer);
        memcpy(longer, sample->patch, sample->patch_size);
        longer[sample->patch_size] = 0;
        assert_fails_with(apply_bytes(sample, longer, sample->patch_size + 1, &err), err, DELTA,
                          "follow");
        free(longer);
}

static void test_wrong_sources(void **state)
{
        struct sample *sample = *state;
        su_auto_close int out_fd = memory_file_of("", 0);
        su_auto_close int other_fd = memory_file_of(sample->old + 1, 2500);
        su_auto_close int short_fd = memory_file_of(sample->old, 2499);
        su_auto_close int long_fd = memory_file_of(sample->old, 2501);
        const int wrong[] = {other_fd, short_fd, long_fd, sample->sources[1]};

        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++) {
                const int sources[] = {wrong[i], sample->sources[1]};
                struct su_error err = {0};

                assert_fails_with(su_delta_apply(sample->patch_fd, sources, names, 2, out_fd, NULL,
                                                 NULL, &err),
                                  err, BASELINE, "'first'");
        }
        assert_true(su_delta_apply(sample->patch_fd, sample->sources, names, 1, out_fd, NULL, NULL,
                                   NULL) < 0);
}

/* A head that is well-formed, with a number in it that would ask for much. */
static void check_refused(size_t n_sources, uint64_t target, uint64_t first, uint64_t second,
                          const char *message)
{
        su_auto_delta_header struct su_delta_header header = {0};
        su_auto_free uint8_t *data = NULL;
        su_auto_close int patch_fd = -EBADF;
        struct su_error err = {0};
        size_t size;

        assert_ok(su_delta_header_new(n_sources, &header, &err), err);
        header.target_size = target;
        if (n_sources > 1) {
                header.source_sizes[0] = first;
                header.source_sizes[1] = second;
        }
        assert_ok(su_delta_header_format(&header, &data, &size, &err), err);
        patch_fd = memory_file_of(data, size);
        assert_fails_with(su_delta_header_read(patch_fd, &(struct su_delta_header){0}, &err), err,
                          DELTA, message);
}

static void test_limits(void **state)
{
        (void)state;
        check_refused(SU_DELTA_SOURCES_MAX + 1, 1, 0, 0, "too many sources");
        check_refused(2, SU_DELTA_TARGET_BYTES_MAX + 1, 1, 1, "target is too large");
        check_refused(2, INT64_MAX, 1, 1, "target is too large");
        check_refused(2, 1, SU_DELTA_SOURCE_BYTES_MAX + 1, 1, "sources are too large");
        check_refused(2, 1, 1, SU_DELTA_SOURCE_BYTES_MAX, "sources are too large");
        check_refused(2, 1, 1, INT64_C(1) << 60, "sources are too large");
}

static void test_other_versions_and_files(void **state)
{
        su_auto_close int later_fd = memory_file_of("SUD3....", 8);
        su_auto_close int other_fd = memory_file_of("\177ELF....", 8);
        su_auto_close int empty_fd = memory_file_of("", 0);
        struct su_delta_header header;
        struct su_error err = {0};

        (void)state;
        assert_fails_with(su_delta_header_read(later_fd, &header, &err), err, DELTA, "version");
        assert_fails_with(su_delta_header_read(other_fd, &header, &err), err, DELTA,
                          "not a delta file");
        assert_fails_with(su_delta_header_read(empty_fd, &header, &err), err, DELTA, "empty");
}

static void test_nothing_is_written_on_failure(void **state)
{
        struct sample *sample = *state;
        su_auto_close int bad_fd = memory_file_of("SUDX....", 8);
        struct su_delta_header header;
        struct su_delta_header before;

        memset(&header, 0x5a, sizeof header);
        before = header;
        assert_true(su_delta_header_read(bad_fd, &header, NULL) < 0);
        assert_memory_equal(&header, &before, sizeof header);
        sample->patch[0] ^= 1;
        assert_true(apply_bytes(sample, sample->patch, sample->patch_size, NULL) < 0);
}

static bool stop(void *userdata, uint64_t done, uint64_t total)
{
        uint64_t *seen = userdata;

        assert_true(done <= total);
        *seen = total;
        return true;
}

static void test_cancelled(void **state)
{
        struct sample *sample = *state;
        su_auto_close int out_fd = memory_file_of("", 0);
        struct su_error err = {0};
        uint64_t seen = 0;

        assert_fails(su_delta_apply(sample->patch_fd, sample->sources, names, 2, out_fd, stop,
                                    &seen, &err),
                     err, CANCELLED);
        assert_int_equal(seen, OLD_SIZE);
}

static void test_too_many_sources_to_make(void **state)
{
        struct sample *sample = *state;
        su_auto_close int patch_fd = memory_file_of("", 0);
        su_auto_free int *fds = calloc(SU_DELTA_SOURCES_MAX + 1, sizeof *fds);
        su_auto_free const char **many = calloc(SU_DELTA_SOURCES_MAX + 1, sizeof *many);
        struct su_error err = {0};

        assert_fails(su_delta_make(fds, many, SU_DELTA_SOURCES_MAX + 1, sample->target_fd, patch_fd,
                                   SU_DELTA_BEST, &err),
                     err, TOO_LARGE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_same_input_same_bytes),
                cmocka_unit_test(test_without_sources),
                cmocka_unit_test(test_empty_source_and_target),
                cmocka_unit_test(test_header),
                cmocka_unit_test(test_every_truncation_fails),
                cmocka_unit_test(test_every_flipped_bit_fails_or_is_harmless),
                cmocka_unit_test(test_trailing_bytes_are_refused),
                cmocka_unit_test(test_wrong_sources),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_other_versions_and_files),
                cmocka_unit_test(test_nothing_is_written_on_failure),
                cmocka_unit_test(test_cancelled),
                cmocka_unit_test(test_too_many_sources_to_make),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
