#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "layers/layers.h"
#include "tree.h"

/* A tree whose files say 'B', and images that say 'x' and 'y'. */
struct device {
        struct scratch *scratch;
        char root[80];
        int images[2];
};

static int setup(void **state)
{
        struct device *device = calloc(1, sizeof *device);
        void *scratch = NULL;

        assert_non_null(device);
        *state = device;
        device->images[0] = device->images[1] = -EBADF;
        if (scratch_setup(&scratch) < 0)
                return -1;
        device->scratch = scratch;
        (void)snprintf(device->root, sizeof device->root, "%s/root", device->scratch->path);
        return 0;
}

static int teardown(void **state)
{
        struct device *device = *state;
        void *scratch = device->scratch;

        if (geteuid() == 0)
                (void)su_layers_deactivate(device->root, SU_USR, NULL, NULL);
        su_close_fd(&device->images[0]);
        su_close_fd(&device->images[1]);
        free(device);
        return scratch_teardown(&scratch);
}

static void prepare(struct device *device)
{
        su_auto_close int fd = -EBADF;

        tree_enter_namespace();
        tree_write(device->scratch, "root", 'B');
        assert_int_equal(su_dir_make(device->scratch->fd, "root/var/lib/suture", 0755, &fd, NULL),
                         0);
        device->images[0] = tree_image(device->scratch, 'x');
        device->images[1] = tree_image(device->scratch, 'y');
}

/* As on kernels before 6.5. */
static const struct su_swap_options old_ways = {.never_beneath = true, .never_append = true};

static int activate(struct device *device, int image, int64_t generation,
                    const struct su_swap_options *options, struct su_error *err)
{
        const struct su_layer layer = {device->images[image], "image"};
        struct su_swap_times times = {0};
        int r;

        r = su_layers_activate(device->root, SU_USR, &layer, 1, generation, options, &times, err);
        if (r >= 0)
                assert_true(times.build_us > 0);
        return r;
}

static int64_t mounted(struct device *device)
{
        int64_t generation = -1;
        struct su_error err = {0};

        assert_ok(su_layers_mounted(device->root, SU_USR, &generation, &err), err);
        return generation;
}

static void assert_letter(struct device *device, char wanted)
{
        assert_int_equal(tree_letter(device->scratch, "root", 0), wanted);
        assert_int_equal(tree_letter(device->scratch, "root", TREE_FILES - 1), wanted);
}

static void swap_and_back(struct device *device, const struct su_swap_options *options)
{
        struct su_error err = {0};

        prepare(device);
        assert_int_equal(mounted(device), 0);
        assert_letter(device, 'B');
        assert_ok(activate(device, 0, 1, options, &err), err);
        assert_int_equal(mounted(device), 1);
        assert_letter(device, 'x');
        assert_ok(activate(device, 1, 2, options, &err), err);
        assert_int_equal(mounted(device), 2);
        assert_letter(device, 'y');
        assert_ok(activate(device, 0, 3, options, &err), err);
        assert_letter(device, 'x');
        assert_ok(su_layers_deactivate(device->root, SU_USR, NULL, &err), err);
        assert_int_equal(mounted(device), 0);
        assert_letter(device, 'B');
        assert_ok(su_layers_deactivate(device->root, SU_USR, NULL, &err), err);
}

static void test_swap_beneath(void **state)
{
        swap_and_back(*state, NULL);
}

static void test_swap_stacked(void **state)
{
        swap_and_back(*state, &old_ways);
}

/* What is open stays what it was; the overlay takes no writes. */
static void test_open_files_and_writes(void **state)
{
        struct device *device = *state;
        su_auto_close int root_fd = -EBADF;
        su_auto_close int held_fd = -EBADF;
        struct su_error err = {0};
        char letter;

        prepare(device);
        assert_ok(su_dir_open(device->root, &root_fd, &err), err);
        held_fd = openat(root_fd, "usr/lib/file0", O_RDONLY | O_CLOEXEC);
        assert_ok(activate(device, 0, 1, NULL, &err), err);
        assert_int_equal(pread(held_fd, &letter, 1, 0), 1);
        assert_int_equal(letter, 'B');
        assert_int_equal(openat(root_fd, "usr/lib/file0", O_WRONLY | O_CLOEXEC), -1);
        assert_int_equal(errno, EROFS);
}

static void test_two_layers(void **state)
{
        struct device *device = *state;
        su_auto_close int extra_fd = -EBADF;
        su_auto_close int root_fd = -EBADF;
        struct su_error err = {0};

        prepare(device);
        write_text(device->scratch->fd, "tree-z/usr/lib/only-z", "z");
        extra_fd = tree_image(device->scratch, 'z');
        const struct su_layer layers[] = {{device->images[0], "x"}, {extra_fd, "z"}};
        assert_ok(su_layers_activate(device->root, SU_USR, layers, 2, 7, NULL, NULL, &err), err);
        assert_letter(device, 'x'); /* the first is uppermost */
        assert_ok(su_dir_open(device->root, &root_fd, &err), err);
        assert_int_equal(faccessat(root_fd, "usr/lib/only-z", F_OK, 0), 0);
}

static void test_base_below_the_overlay(void **state)
{
        struct device *device = *state;
        su_auto_close int base_fd = -EBADF;
        su_auto_free char *text = NULL;
        struct su_error err = {0};

        prepare(device);
        assert_ok(activate(device, 0, 1, NULL, &err), err);
        assert_ok(activate(device, 1, 2, &old_ways, &err), err);
        assert_ok(su_layers_open_base(device->root, &base_fd, &err), err);
        text = read_text(base_fd, "usr/lib/file0");
        assert_string_equal(text, "B");
        assert_letter(device, 'y');
}

static void test_failure_leaves_usr_alone(void **state)
{
        struct device *device = *state;
        su_auto_close int rubbish_fd = -EBADF;
        struct su_error err = {0};

        prepare(device);
        write_text(device->scratch->fd, "rubbish", "rubbish");
        rubbish_fd = openat(device->scratch->fd, "rubbish", O_RDONLY | O_CLOEXEC);
        const struct su_layer layers[] = {{device->images[1], "y"}, {rubbish_fd, "rubbish"}};
        assert_true(su_layers_activate(device->root, SU_USR, layers, 2, 1, NULL, NULL, &err) < 0);
        assert_int_equal(mounted(device), 0);
        assert_letter(device, 'B');
        assert_ok(activate(device, 0, 1, NULL, &err), err);
        assert_true(su_layers_activate(device->root, SU_USR, layers, 2, 2, NULL, NULL, NULL) < 0);
        assert_int_equal(mounted(device), 1);
        assert_letter(device, 'x');
}

static void test_conflicts(void **state)
{
        struct device *device = *state;
        struct su_error err = {0};
        char usr[96];
        char options[512];
        int64_t generation = 77;

        prepare(device);
        (void)snprintf(usr, sizeof usr, "%s/usr", device->root);
        (void)snprintf(options, sizeof options, "lowerdir=%s/tree-x/usr:%s", device->scratch->path,
                       usr);
        assert_int_equal(mount("sysext", usr, "overlay", MS_RDONLY, options), 0);
        assert_fails_with(su_layers_mounted(device->root, SU_USR, &generation, &err), err, CONFLICT,
                          "systemd-sysext");
        assert_fails(activate(device, 0, 1, NULL, &err), err, CONFLICT);
        assert_int_equal(generation, 77);
        assert_int_equal(umount2(usr, 0), 0);
}

/* By their whole paths: the scratch descriptor still looks into the former namespace. */
static void path_below_usr(const struct device *device, const char *name, char ret[static 160])
{
        (void)snprintf(ret, 160, "%s/usr/%s", device->root, name);
}

/* A tmpfs below /usr that holds a directory of that name. */
static void mount_below(struct device *device, const char *name, const char *directory)
{
        char path[160];
        char inside[160];

        path_below_usr(device, name, path);
        (void)mkdir(path, 0755);
        assert_int_equal(mount("tmpfs", path, "tmpfs", MS_NOSUID, NULL), 0);
        (void)snprintf(inside, sizeof inside, "%.100s/%.50s", path, directory);
        assert_int_equal(mkdir(inside, 0755), 0);
}

static bool is_there(struct device *device, const char *name)
{
        char path[160];

        path_below_usr(device, name, path);
        return access(path, F_OK) == 0;
}

/* What is mounted below /usr stays in sight, and is what it was. */
static void carry_submounts(struct device *device, const struct su_swap_options *options)
{
        struct su_error err = {0};
        char path[160];

        prepare(device);
        write_text(device->scratch->fd, "root/usr/local/base", "B");
        write_text(device->scratch->fd, "root/usr/late/base", "B");
        mount_below(device, "local", "first");
        mount_below(device, "local/inner", "nested");
        assert_ok(activate(device, 0, 1, options, &err), err);
        assert_letter(device, 'x');
        assert_true(is_there(device, "local/first") && is_there(device, "local/inner/nested"));
        assert_false(is_there(device, "local/base"));
        mount_below(device, "late", "second"); /* on the overlay */
        assert_ok(activate(device, 1, 2, options, &err), err);
        assert_letter(device, 'y');
        assert_true(is_there(device, "local/inner/nested") && is_there(device, "late/second"));
        assert_ok(su_layers_deactivate(device->root, SU_USR, NULL, &err), err);
        assert_letter(device, 'B');
        assert_true(is_there(device, "local/inner/nested") && is_there(device, "late/second"));
        path_below_usr(device, "late", path);
        assert_int_equal(umount2(path, 0), 0);
        assert_true(is_there(device, "late/base"));
        path_below_usr(device, "local", path);
        assert_int_equal(umount2(path, MNT_DETACH), 0);
}

static void test_submounts_are_carried(void **state)
{
        carry_submounts(*state, NULL);
}

static void test_submounts_are_carried_the_old_way(void **state)
{
        carry_submounts(*state, &old_ways);
}

struct observer {
        struct device *device;
        atomic_bool stop;
        atomic_uint opens;
        unsigned failures;
        unsigned glimpses; /* of the bare base */
};

static void *observe(void *userdata)
{
        struct observer *observer = userdata;

        while (!atomic_load(&observer->stop)) {
                char letter = tree_letter(observer->device->scratch, "root",
                                          (int)(observer->opens % TREE_FILES));

                observer->opens++;
                observer->failures += letter == '-';
                observer->glimpses += letter == 'B';
        }
        return NULL;
}

/* No open() fails, and none sees the bare base between two generations. */
static void observe_swaps(struct device *device, const struct su_swap_options *options)
{
        struct observer observer = {.device = device};
        struct su_error err = {0};
        pthread_t thread;

        prepare(device);
        assert_ok(activate(device, 0, 1, options, &err), err);
        assert_int_equal(pthread_create(&thread, NULL, observe, &observer), 0);
        for (int i = 0; i < 12 || atomic_load(&observer.opens) < 1000; i++)
                assert_ok(activate(device, i % 2, 2 + i, options, &err), err);
        atomic_store(&observer.stop, true);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(observer.failures, 0);
        assert_int_equal(observer.glimpses, 0);
}

static void test_nobody_sees_a_swap_beneath(void **state)
{
        observe_swaps(*state, NULL);
}

static void test_nobody_sees_a_swap_on_top(void **state)
{
        observe_swaps(*state, &old_ways);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_swap_beneath),
                TEST(test_swap_stacked),
                TEST(test_open_files_and_writes),
                TEST(test_two_layers),
                TEST(test_base_below_the_overlay),
                TEST(test_failure_leaves_usr_alone),
                TEST(test_conflicts),
                TEST(test_submounts_are_carried),
                TEST(test_submounts_are_carried_the_old_way),
                TEST(test_nobody_sees_a_swap_beneath),
                TEST(test_nobody_sees_a_swap_on_top),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
