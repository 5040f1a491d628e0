#include "support.h"

#include <fcntl.h>
#include <string.h>

#include "trust/cache.h"

static bool exists(int dir_fd, const char *name)
{
        return faccessat(dir_fd, name, F_OK, 0) == 0;
}

static void test_roles_are_files(void **state)
{
        struct scratch *scratch = *state;
        static const struct {
                const char *role;
                const char *file;
        } cases[] = {
                {"targets", "targets.json"}, {"../x", "..%2Fx.json"},
                {"?", "%3F.json"},           {".", "..json"},
                {"\xc3\xa4", "%C3%A4.json"},
        };
        struct su_error err = {0};

        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_free char *text = NULL;
                size_t size;

                assert_true(su_cache_read(scratch->fd, cases[i].role, 10, &text, &size, &err) ==
                            -ENOENT);
                assert_ok(su_cache_write(scratch->fd, cases[i].role, "bytes", 5, &err), err);
                assert_true(exists(scratch->fd, cases[i].file));
                assert_ok(su_cache_read(scratch->fd, cases[i].role, 5, &text, &size, &err), err);
                assert_string_equal(text, "bytes");
        }
}

static void test_a_name_that_is_too_long(void **state)
{
        struct scratch *scratch = *state;
        struct su_error err = {0};
        char role[256];

        memset(role, '/', sizeof role);
        role[sizeof role - 1] = '\0';
        assert_fails(su_cache_write(scratch->fd, role, "bytes", 5, &err), err, TOO_LARGE);
        role[80] = '\0'; /* 240 bytes when encoded */
        assert_ok(su_cache_write(scratch->fd, role, "bytes", 5, &err), err);
}

static void write_all(int dir_fd)
{
        static const char *const names[] = {"timestamp", "snapshot", "targets", "debian-12"};
        struct su_error err = {0};

        for (size_t i = 0; i < SU_ELEMENTS(names); i++)
                assert_ok(su_cache_write(dir_fd, names[i], "old", 3, &err), err);
        assert_ok(su_cache_set_etag(dir_fd, "\"1\"", &err), err);
        assert_ok(su_cache_raise_time_floor(dir_fd, 1000000, &err), err);
}

static void assert_recovered(int dir_fd)
{
        assert_false(exists(dir_fd, "timestamp.json"));
        assert_false(exists(dir_fd, "timestamp.etag"));
        assert_false(exists(dir_fd, "snapshot.json"));
        assert_false(exists(dir_fd, "time-floor"));
        assert_true(exists(dir_fd, "targets.json"));
        assert_true(exists(dir_fd, "debian-12.json"));
        assert_false(exists(dir_fd, "recovery"));
}

static void test_recovery(void **state)
{
        struct scratch *scratch = *state;
        struct su_error err = {0};

        write_all(scratch->fd);
        assert_ok(su_cache_write_root_with_recovery(scratch->fd, "root", 4, 2, &err), err);
        assert_true(exists(scratch->fd, "root.json"));
        assert_recovered(scratch->fd);
}

/* Killed after the new root got its name: the next start ends it. */
static void test_recovery_that_was_cut_off(void **state)
{
        struct scratch *scratch = *state;
        struct su_error err = {0};

        write_all(scratch->fd);
        write_text(scratch->fd, "recovery", "2\n");
        assert_ok(su_cache_settle(scratch->fd, 2, &err), err);
        assert_recovered(scratch->fd);
}

/* Killed before: the old root is trusted, and so is what its keys signed. */
static void test_recovery_that_was_not_begun(void **state)
{
        struct scratch *scratch = *state;
        static const char *const texts[] = {"2\n", "", "rubbish", "-1\n", "2"};
        struct su_error err = {0};

        for (size_t i = 0; i < SU_ELEMENTS(texts); i++) {
                write_all(scratch->fd);
                write_text(scratch->fd, "recovery", texts[i]);
                assert_ok(su_cache_settle(scratch->fd, 1, &err), err);
                assert_true(exists(scratch->fd, "timestamp.json"));
                assert_false(exists(scratch->fd, "recovery"));
        }
        assert_ok(su_cache_settle(scratch->fd, 1, &err), err);
}

static void test_time_floor(void **state)
{
        struct scratch *scratch = *state;
        struct su_error err = {0};

        assert_int_equal(su_cache_time_floor(scratch->fd), 0);
        assert_ok(su_cache_raise_time_floor(scratch->fd, 1000000, &err), err);
        assert_int_equal(su_cache_time_floor(scratch->fd), 1000000);
        assert_ok(su_cache_raise_time_floor(scratch->fd, 999999, &err), err);
        assert_int_equal(su_cache_time_floor(scratch->fd), 1000000);
        assert_ok(su_cache_raise_time_floor(scratch->fd, 1003599, &err), err); /* not yet an hour */
        assert_int_equal(su_cache_time_floor(scratch->fd), 1000000);
        assert_ok(su_cache_raise_time_floor(scratch->fd, 1003600, &err), err);
        assert_int_equal(su_cache_time_floor(scratch->fd), 1003600);
        write_text(scratch->fd, "time-floor", "rubbish");
        assert_int_equal(su_cache_time_floor(scratch->fd), 0);
}

static void test_etag(void **state)
{
        struct scratch *scratch = *state;
        su_auto_free char *etag = NULL;
        su_auto_free char *none = NULL;
        char long_one[2048];
        struct su_error err = {0};

        assert_ok(su_cache_etag(scratch->fd, &none, &err), err);
        assert_null(none);
        assert_ok(su_cache_set_etag(scratch->fd, "\"abc\"", &err), err);
        assert_ok(su_cache_etag(scratch->fd, &etag, &err), err);
        assert_string_equal(etag, "\"abc\"");
        memset(long_one, 'a', sizeof long_one);
        long_one[sizeof long_one - 1] = '\0';
        assert_ok(su_cache_set_etag(scratch->fd, long_one, &err), err);
        assert_ok(su_cache_etag(scratch->fd, &none, &err), err);
        assert_null(none);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_roles_are_files),
                scratch_test(test_a_name_that_is_too_long),
                scratch_test(test_recovery),
                scratch_test(test_recovery_that_was_cut_off),
                scratch_test(test_recovery_that_was_not_begun),
                scratch_test(test_time_floor),
                scratch_test(test_etag),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
