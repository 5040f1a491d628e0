#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "crypto/sha256.h"
#include "image/build.h"
#include "image/mount.h"
#include "tree.h"

static struct su_sha256 build(struct scratch *scratch, int64_t time, const char *identity)
{
        su_auto_close int fd = -EBADF;
        struct su_sha256 digest;
        struct su_error err = {0};
        char tree[96];
        char path[96];

        (void)snprintf(tree, sizeof tree, "%s/tree", scratch->path);
        (void)snprintf(path, sizeof path, "%s/image.erofs", scratch->path);
        assert_ok(su_image_build(tree, path, time, identity, false, &err), err);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_ok(su_sha256_of_fd(fd, "image", &digest, NULL, &err), err);
        return digest;
}

static void test_same_input_same_bytes(void **state)
{
        struct scratch *scratch = *state;
        struct su_sha256 first;
        struct su_sha256 again;
        struct su_sha256 other;

        tree_write(scratch, "tree", 'x');
        first = build(scratch, 1000, "a");
        again = build(scratch, 1000, "a");
        assert_true(su_sha256_equal(&first, &again));
        other = build(scratch, 1001, "a");
        assert_false(su_sha256_equal(&first, &other));
        other = build(scratch, 1000, "b");
        assert_false(su_sha256_equal(&first, &other));
}

static void test_build_without_a_tree(void **state)
{
        struct scratch *scratch = *state;
        struct su_error err = {0};
        char path[96];

        (void)snprintf(path, sizeof path, "%s/image.erofs", scratch->path);
        assert_fails_with(su_image_build("/var/tmp/suture-no-such-tree", path, 1, "a", false, &err),
                          err, SYSTEM, "mkfs.erofs");
}

static void assert_mounts(int image_fd, enum su_image_backing backing)
{
        su_auto_close int mount_fd = -EBADF;
        su_auto_close int file_fd = -EBADF;
        enum su_image_backing used = SU_IMAGE_BACKING_ANY;
        struct su_error err = {0};
        struct statvfs vfs;
        struct stat st;
        char letter;

        assert_ok(su_image_mount(image_fd, "image", backing, &mount_fd, &used, &err), err);
        if (backing != SU_IMAGE_BACKING_ANY)
                assert_int_equal(used, backing);
        file_fd = openat(mount_fd, "usr/lib/file3", O_RDONLY | O_CLOEXEC);
        assert_true(file_fd >= 0);
        assert_int_equal(read(file_fd, &letter, 1), 1);
        assert_int_equal(letter, 'm');
        assert_int_equal(fstat(file_fd, &st), 0);
        assert_int_equal(st.st_uid, 0);
        assert_int_equal(st.st_mtime, 1);
        assert_int_equal(fstatvfs(mount_fd, &vfs), 0);
        assert_true(vfs.f_flag & ST_RDONLY);
        assert_true(vfs.f_flag & ST_NODEV);
        assert_int_equal(openat(mount_fd, "usr/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), -1);
}

static void test_mount_by_file(void **state)
{
        su_auto_close int image_fd = -EBADF;

        skip_unless_root();
        image_fd = tree_image(*state, 'm');
        assert_mounts(image_fd, SU_IMAGE_BACKING_FILE);
        assert_mounts(image_fd, SU_IMAGE_BACKING_ANY);
}

static void test_mount_by_loop(void **state)
{
        su_auto_close int image_fd = -EBADF;

        skip_unless_root();
        image_fd = tree_image(*state, 'm');
        assert_mounts(image_fd, SU_IMAGE_BACKING_LOOP);
}

static void test_mount_rubbish(void **state)
{
        struct scratch *scratch = *state;
        static const enum su_image_backing backings[] = {SU_IMAGE_BACKING_FILE,
                                                         SU_IMAGE_BACKING_LOOP};
        su_auto_close int fd = -EBADF;
        char rubbish[8192] = "rubbish";

        skip_unless_root();
        write_file(scratch->fd, "rubbish", rubbish, sizeof rubbish);
        fd = openat(scratch->fd, "rubbish", O_RDONLY | O_CLOEXEC);
        for (size_t i = 0; i < SU_ELEMENTS(backings); i++) {
                int mount_fd = -EBADF;
                struct su_error err = {0};

                assert_fails_with(
                        su_image_mount(fd, "my-image", backings[i], &mount_fd, NULL, &err), err,
                        SYSTEM, "my-image");
                assert_int_equal(mount_fd, -EBADF);
                assert_true(su_image_mount(fd, "x", backings[i], &mount_fd, NULL, NULL) < 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_same_input_same_bytes), scratch_test(test_build_without_a_tree),
                scratch_test(test_mount_by_file),         scratch_test(test_mount_by_loop),
                scratch_test(test_mount_rubbish),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
