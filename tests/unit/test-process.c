#include "support.h"

#include <string.h>

#include "base/process.h"

static int run(const char *script, char **ret_output, size_t *ret_size, struct su_error *err)
{
        const char *const argv[] = {"sh", "-c", script, NULL};

        return su_process_run(argv, ret_output, ret_size, err);
}

static void test_output(void **state)
{
        su_auto_free char *output = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(run("printf 'a\\0b'; echo noise >&2", &output, &size, &err), err);
        assert_int_equal(size, 3);
        assert_memory_equal(output, "a\0b", 4);
        assert_ok(run("exit 0", NULL, NULL, &err), err);
}

/* More than a pipe holds, on both streams. */
static void test_much_output(void **state)
{
        su_auto_free char *output = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(
                run("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2", &output, &size, &err),
                err);
        assert_int_equal(size, 300000);
}

static void test_failure_tells_the_last_line(void **state)
{
        char *output = NULL;
        struct su_error err = {0};

        (void)state;
        assert_fails_with(
                run("echo first >&2; echo 'the reason' >&2; echo >&2; exit 3", &output, NULL, &err),
                err, SYSTEM, "status 3: the reason");
        assert_null(output);
        assert_fails_with(run("kill -9 $$", NULL, NULL, &err), err, SYSTEM, "signal 9");
        assert_true(run("exit 1", NULL, NULL, NULL) < 0);
}

static void test_a_status_that_says_something(void **state)
{
        const char *const argv[] = {"sh", "-c", "echo said; exit 12", NULL};
        const char *const killed[] = {"sh", "-c", "kill -9 $$", NULL};
        su_auto_free char *output = NULL;
        struct su_error err = {0};
        int status = 0;

        (void)state;
        assert_ok(su_process_ask(argv, &output, &status, &err), err);
        assert_int_equal(status, 12);
        assert_string_equal(output, "said\n");
        assert_fails_with(su_process_ask(killed, NULL, &status, &err), err, SYSTEM, "signal 9");
}

static void test_missing_program(void **state)
{
        const char *const argv[] = {"suture-no-such-program", NULL};
        struct su_error err = {0};

        (void)state;
        assert_fails_with(su_process_run(argv, NULL, NULL, &err), err, SYSTEM,
                          "suture-no-such-program");
        assert_int_equal(err.errnum, ENOENT);
}

static void test_no_input(void **state)
{
        su_auto_free char *output = NULL;
        struct su_error err = {0};
        size_t size = 77;

        (void)state;
        assert_ok(run("cat", &output, &size, &err), err);
        assert_int_equal(size, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_output),
                cmocka_unit_test(test_much_output),
                cmocka_unit_test(test_failure_tells_the_last_line),
                cmocka_unit_test(test_a_status_that_says_something),
                cmocka_unit_test(test_missing_program),
                cmocka_unit_test(test_no_input),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
