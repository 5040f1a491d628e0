#include "support.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "image/seal.h"
#include "image/verity.h"

/* Kernels that do enforce seals are tested in tests/vm. */

static void assert_not_enforced(int fd, const struct su_sha256 *seal)
{
        struct su_sha256 measured = {{77}};
        struct su_error err = {0};
        bool enabled = true;

        assert_ok(su_verity_measure(fd, "a-file", &measured, &enabled, &err), err);
        assert_false(enabled);
        assert_int_equal(measured.bytes[0], 77);
        assert_false(su_verity_enforces(fd, seal));
}

static void test_a_file_system_that_cannot(void **state)
{
        su_auto_close int fd = memory_file_of_text("data");
        struct su_sha256 seal;
        struct su_error err = {0};
        bool enabled = true;

        (void)state;
        assert_ok(su_seal_compute(fd, "data", &seal, &err), err);
        assert_ok(su_verity_enable(fd, "a-file", &enabled, &err), err);
        assert_false(enabled);
        assert_not_enforced(fd, &seal);
}

/* Whatever this one can: both calls say the same, and what is enforced is the seal. */
static void test_the_file_system_of_the_tests(void **state)
{
        struct scratch *scratch = *state;
        su_auto_close int fd = -EBADF;
        struct su_sha256 measured;
        struct su_sha256 seal;
        struct su_error err = {0};
        bool measurable;
        bool enabled;

        write_text(scratch->fd, "file", "data");
        fd = openat(scratch->fd, "file", O_RDONLY | O_CLOEXEC);
        assert_ok(su_seal_compute(fd, "file", &seal, &err), err);
        assert_not_enforced(fd, &seal);
        assert_ok(su_verity_enable(fd, "file", &enabled, &err), err);
        assert_ok(su_verity_measure(fd, "file", &measured, &measurable, &err), err);
        assert_int_equal(measurable, enabled);
        assert_int_equal(su_verity_enforces(fd, &seal), enabled);
        if (!enabled)
                skip_because("NOT TESTED: fs-verity, which this file system does not have");
        assert_true(su_sha256_equal(&measured, &seal));
        seal.bytes[0] ^= 1;
        assert_false(su_verity_enforces(fd, &seal));
        assert_ok(su_verity_enable(fd, "file", &enabled, &err), err);
        assert_true(enabled);
}

static void test_no_file_at_all(void **state)
{
        const struct su_sha256 seal = {{0}};
        struct su_sha256 measured;
        struct su_error err = {0};
        bool enabled;

        (void)state;
        assert_fails_with(su_verity_enable(-EBADF, "a-file", &enabled, &err), err, SYSTEM,
                          "a-file");
        assert_fails_with(su_verity_measure(-EBADF, "a-file", &measured, &enabled, &err), err,
                          SYSTEM, "a-file");
        assert_false(su_verity_enforces(-EBADF, &seal));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_file_system_that_cannot),
                scratch_test(test_the_file_system_of_the_tests),
                cmocka_unit_test(test_no_file_at_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
