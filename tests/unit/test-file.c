#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

static void test_open_in_root_does_not_leave_it(void **state)
{
        struct scratch *scratch = *state;
        static const char *const paths[] = {"/inside",    "inside",    "../../inside",
                                            "/../inside", "up/inside", "absolute/inside"};
        struct su_error err = {0};
        int fd = -EBADF;

        write_text(scratch->fd, "tree/inside", "x");
        write_text(scratch->fd, "outside", "y");
        assert_int_equal(symlinkat("../..", scratch->fd, "tree/up"), 0);
        assert_int_equal(symlinkat("/", scratch->fd, "tree/absolute"), 0);
        assert_int_equal(symlinkat("../outside", scratch->fd, "tree/out"), 0);
        for (size_t i = 0; i < SU_ELEMENTS(paths); i++) {
                su_auto_close int tree_fd = openat(scratch->fd, "tree", O_RDONLY | O_DIRECTORY);
                su_auto_close int inside_fd = -EBADF;

                assert_ok(su_open_in_root(tree_fd, paths[i], O_RDONLY, &inside_fd, &err), err);
                assert_int_equal(fcntl(inside_fd, F_GETFD), FD_CLOEXEC);
                assert_int_equal(su_open_in_root(tree_fd, "out", O_RDONLY, &fd, NULL), -ENOENT);
                assert_fails_with(su_open_in_root(tree_fd, "../outside", O_RDONLY, &fd, &err), err,
                                  SYSTEM, "outside");
                assert_int_equal(fd, -EBADF);
        }
}

static void test_make_directories(void **state)
{
        struct scratch *scratch = *state;
        su_auto_close int made = -EBADF;
        su_auto_close int again = -EBADF;
        struct su_error err = {0};
        struct stat st;
        int fd = -EBADF;

        assert_ok(su_dir_make(scratch->fd, "a/b/c", 0700, &made, &err), err);
        assert_int_equal(fchmod(made, 0711), 0);
        assert_ok(su_dir_make(scratch->fd, "a//b/c/", 0700, &again, &err), err);
        assert_int_equal(fstat(again, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0711);
        write_text(scratch->fd, "file", "");
        assert_fails_with(su_dir_make(scratch->fd, "file/x", 0700, &fd, &err), err, SYSTEM,
                          "file/x");
        assert_int_equal(fd, -EBADF);
}

static void test_read(void **state)
{
        struct scratch *scratch = *state;
        su_auto_free char *data = NULL;
        char *none = NULL;
        struct su_error err = {0};
        size_t size = 77;

        write_file(scratch->fd, "f", "ab\0cd", 5);
        assert_ok(su_file_read(scratch->fd, "f", 5, &data, &size, &err), err);
        assert_int_equal(size, 5);
        assert_memory_equal(data, "ab\0cd", 6);
        size = 77;
        assert_fails_with(su_file_read(scratch->fd, "f", 4, &none, &size, &err), err, TOO_LARGE,
                          "'f'");
        assert_true(su_file_read(scratch->fd, "missing", 4, &none, &size, &err) == -ENOENT);
        assert_true(su_file_read(scratch->fd, "f", 4, &none, &size, NULL) == -EFBIG);
        assert_null(none);
        assert_int_equal(size, 77);
}

static void test_read_large(void **state)
{
        struct scratch *scratch = *state;
        su_auto_free char *written = malloc(100000);
        su_auto_free char *data = NULL;
        struct su_error err = {0};
        size_t size;

        fill_noise(written, 100000, 5);
        write_file(scratch->fd, "f", written, 100000);
        assert_ok(su_file_read(scratch->fd, "f", 100000, &data, &size, &err), err);
        assert_int_equal(size, 100000);
        assert_memory_equal(data, written, size);
}

static void test_write_replaces(void **state)
{
        struct scratch *scratch = *state;
        su_auto_free char *text = NULL;
        struct su_error err = {0};
        struct stat st;

        assert_ok(su_file_write(scratch->fd, "f", "first", 5, 0640, &err), err);
        assert_int_equal(fstatat(scratch->fd, "f", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777 & ~0022, 0640);
        assert_int_equal(linkat(scratch->fd, "f", scratch->fd, "old", 0), 0);
        assert_ok(su_file_write(scratch->fd, "f", "second", 6, 0640, &err), err);
        text = read_text(scratch->fd, "old");
        assert_string_equal(text, "first"); /* replaced, not written over */
        free(text);
        text = read_text(scratch->fd, "f");
        assert_string_equal(text, "second");
        assert_int_equal(faccessat(scratch->fd, "f.tmp", F_OK, 0), -1);
}

/* A link that somebody left under the temporary name is not followed. */
static void test_write_does_not_follow(void **state)
{
        struct scratch *scratch = *state;
        su_auto_free char *text = NULL;
        struct su_error err = {0};

        write_text(scratch->fd, "victim", "untouched");
        assert_int_equal(symlinkat("victim", scratch->fd, "f.tmp"), 0);
        assert_ok(su_file_write(scratch->fd, "f", "x", 1, 0644, &err), err);
        text = read_text(scratch->fd, "victim");
        assert_string_equal(text, "untouched");
        assert_true(su_file_write(scratch->fd, "no/such/f", "x", 1, 0644, &err) == -ENOENT);
        assert_true(su_file_write(scratch->fd, "no/such/f", "x", 1, 0644, NULL) == -ENOENT);
}

static void test_read_exactly(void **state)
{
        su_auto_close int fd = memory_file_of_text("0123456789");
        struct su_error err = {0};
        char data[4] = "";

        (void)state;
        assert_ok(su_read_exact_at(fd, data, 3, 7, "f", &err), err);
        assert_string_equal(data, "789");
        assert_fails_with(su_read_exact_at(fd, data, 4, 7, "f", &err), err, TRUNCATED, "'f'");
        assert_fails(su_read_exact_at(-EBADF, data, 1, 0, "f", &err), err, SYSTEM);
}

static void test_copy(void **state)
{
        su_auto_free char *data = malloc(200000);
        su_auto_free char *copied = malloc(200000);
        su_auto_close int from = -EBADF;
        su_auto_close int to = memory_file_of_text("");
        struct su_error err = {0};

        (void)state;
        fill_noise(data, 200000, 3);
        from = memory_file_of(data, 200000);
        assert_int_equal(lseek(from, 10, SEEK_SET), 10);
        assert_ok(su_copy_all(from, to, "f", &err), err);
        assert_ok(su_read_exact_at(to, copied, 200000, 0, "f", &err), err);
        assert_memory_equal(data, copied, 200000);
        assert_int_equal(lseek(to, 0, SEEK_END), 200000);
}

static void test_remove_tree(void **state)
{
        struct scratch *scratch = *state;
        su_auto_free char *text = NULL;
        struct su_error err = {0};

        write_text(scratch->fd, "kept/f", "x");
        write_text(scratch->fd, "gone/a/b/c", "");
        write_text(scratch->fd, "gone/d", "");
        assert_int_equal(symlinkat("../kept", scratch->fd, "gone/link"), 0);
        assert_int_equal(symlinkat("kept", scratch->fd, "link"), 0);
        assert_ok(su_remove_tree(scratch->fd, "gone", &err), err);
        assert_ok(su_remove_tree(scratch->fd, "link", &err), err);
        assert_ok(su_remove_tree(scratch->fd, "missing", &err), err);
        assert_int_equal(faccessat(scratch->fd, "gone", F_OK, 0), -1);
        text = read_text(scratch->fd, "kept/f");
        assert_string_equal(text, "x");
        assert_ok(su_remove_tree(scratch->fd, "kept/f", &err), err);
        assert_int_equal(faccessat(scratch->fd, "kept/f", F_OK, 0), -1);
}

static void test_free_space(void **state)
{
        struct scratch *scratch = *state;
        struct su_error err = {0};
        uint64_t bytes = 77;

        assert_ok(su_free_space(scratch->fd, &bytes, &err), err);
        assert_true(bytes > 77);
        bytes = 77;
        assert_fails(su_free_space(-EBADF, &bytes, &err), err, SYSTEM);
        assert_int_equal(bytes, 77);
}

/* /dev/full takes no byte. */
static void test_a_full_disk(void **state)
{
        su_auto_close int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        struct su_error err = {0};

        (void)state;
        assert_true(fd >= 0);
        assert_fails_with(su_write_all(fd, "x", 1, "f", &err), err, SPACE, "'f'");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_open_in_root_does_not_leave_it),
                scratch_test(test_make_directories),
                scratch_test(test_read),
                scratch_test(test_read_large),
                scratch_test(test_write_replaces),
                scratch_test(test_write_does_not_follow),
                cmocka_unit_test(test_read_exactly),
                cmocka_unit_test(test_copy),
                scratch_test(test_remove_tree),
                scratch_test(test_free_space),
                cmocka_unit_test(test_a_full_disk),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
