/* How atomic is a swap? Threads open files below a patched /usr as fast as they can while it is
 * swapped to and fro: by Suture (beneath the present overlay, and stacked as before Linux 6.5),
 * and, as the peer, by the usual way, umount and mount again. Needs root; works on a tree of its
 * own in a private mount namespace.
 *
 *     swap SWAPS
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "device/layers.h"
#include "image/build.h"

#define FILES 64
#define THREADS 2
#define IMAGES 2

struct bench {
        char root[64];
        int image_fds[IMAGES];
        int64_t generation;
};

/* What one thread saw. */
struct observer {
        const struct bench *bench;
        atomic_bool stop;
        uint64_t opens;
        uint64_t failed;
        uint64_t glimpses; /* of the bare base */
        uint64_t longest_gap_us;
};

struct totals {
        const char *name;
        uint64_t opens;
        uint64_t failed;
        uint64_t glimpses;
        uint64_t longest_gap_us;
        uint64_t median_us;
        uint64_t longest_us;
};

typedef int (*swap_function)(struct bench *bench, int image, uint64_t *ret_us,
                             struct su_error *err);

/* Each file holds one letter that tells where it comes from: 'B' the base, '0' and '1' the images.
 */
static int write_tree(const char *path, char letter, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        r = su_dir_make(AT_FDCWD, path, 0755, &fd, err);
        for (int i = 0; i < FILES && r >= 0; i++) {
                su_auto_free char *name = NULL;

                r = su_format(&name, err, "file%d", i);
                if (r >= 0)
                        r = su_file_write(fd, name, &letter, 1, 0644, err);
        }
        return r;
}

static int make_image(struct bench *bench, int image, struct su_error *err)
{
        su_auto_free char *top = NULL;
        su_auto_free char *tree = NULL;
        su_auto_free char *path = NULL;
        int r;

        r = su_format(&top, err, "%s/image%d", bench->root, image);
        if (r >= 0)
                r = su_format(&tree, err, "%s/usr/lib", top);
        if (r >= 0)
                r = su_format(&path, err, "%s/image%d.erofs", bench->root, image);
        if (r >= 0)
                r = write_tree(tree, (char)('0' + image), err);
        if (r >= 0)
                r = su_image_build(top, path, 1, top, err);
        if (r < 0)
                return r;
        bench->image_fds[image] = open(path, O_RDONLY | O_CLOEXEC);
        return bench->image_fds[image] < 0 ? su_fail_errno(err, errno, "cannot open '%s'", path)
                                           : 0;
}

static int setup(struct bench *bench, struct su_error *err)
{
        su_auto_free char *lib = NULL;
        su_auto_free char *state = NULL;
        su_auto_close int fd = -EBADF;
        int r;

        (void)snprintf(bench->root, sizeof bench->root, "/var/tmp/suture-bench.XXXXXX");
        if (!mkdtemp(bench->root))
                return su_fail_errno(err, errno, "cannot make a scratch directory");
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return su_fail_errno(err, errno, "cannot make a private mount namespace");
        r = su_format(&lib, err, "%s/usr/lib", bench->root);
        if (r >= 0)
                r = su_format(&state, err, "%s/var/lib/suture", bench->root);
        if (r >= 0)
                r = write_tree(lib, 'B', err);
        if (r >= 0)
                r = su_dir_make(AT_FDCWD, state, 0755, &fd, err);
        for (int i = 0; i < IMAGES && r >= 0; i++)
                r = make_image(bench, i, err);
        return r;
}

static void teardown(struct bench *bench)
{
        (void)su_layers_deactivate(bench->root, NULL, NULL);
        for (int i = 0; i < IMAGES; i++)
                su_close_fd(&bench->image_fds[i]);
        (void)su_remove_tree(AT_FDCWD, bench->root, NULL);
}

static void *observe(void *userdata)
{
        struct observer *observer = userdata;
        uint64_t last = su_monotonic_us();

        for (unsigned i = 0; !atomic_load(&observer->stop); i++) {
                char path[128];
                char letter = 'B';
                uint64_t now;
                int fd;

                (void)snprintf(path, sizeof path, "%s/usr/lib/file%u", observer->bench->root,
                               i % FILES);
                fd = open(path, O_RDONLY | O_CLOEXEC);
                observer->opens++;
                if (fd < 0 || read(fd, &letter, 1) != 1) {
                        observer->failed++;
                        su_close_fd(&fd);
                        continue;
                }
                (void)close(fd);
                observer->glimpses += letter == 'B';
                now = su_monotonic_us();
                if (letter != 'B') {
                        if (now - last > observer->longest_gap_us)
                                observer->longest_gap_us = now - last;
                        last = now;
                }
        }
        return NULL;
}

static int swap_with(struct bench *bench, int image, const struct su_swap_options *options,
                     uint64_t *ret_us, struct su_error *err)
{
        const struct su_layer layer = {bench->image_fds[image], "bench"};
        struct su_swap_times times;
        int r;

        r = su_layers_activate(bench->root, &layer, 1, ++bench->generation, options, &times, err);
        if (r >= 0)
                *ret_us = times.swap_us;
        return r;
}

static int swap_beneath(struct bench *bench, int image, uint64_t *ret_us, struct su_error *err)
{
        return swap_with(bench, image, NULL, ret_us, err);
}

static int swap_stacked(struct bench *bench, int image, uint64_t *ret_us, struct su_error *err)
{
        const struct su_swap_options options = {.never_beneath = true};

        return swap_with(bench, image, &options, ret_us, err);
}

/* The peer: take the old overlay off, put the new one on. */
static int swap_naively(struct bench *bench, int image, uint64_t *ret_us, struct su_error *err)
{
        uint64_t began = su_monotonic_us();
        int r;

        r = su_layers_deactivate(bench->root, NULL, err);
        if (r >= 0)
                r = swap_with(bench, image, NULL, ret_us, err);
        if (r >= 0)
                *ret_us = su_monotonic_us() - began;
        return r;
}

static int compare(const void *a, const void *b)
{
        const uint64_t *left = a;
        const uint64_t *right = b;

        return (*left > *right) - (*left < *right);
}

static void join(pthread_t *threads, struct observer *observers, struct totals *totals)
{
        for (int i = 0; i < THREADS; i++)
                atomic_store(&observers[i].stop, true);
        for (int i = 0; i < THREADS; i++) {
                (void)pthread_join(threads[i], NULL);
                totals->opens += observers[i].opens;
                totals->failed += observers[i].failed;
                totals->glimpses += observers[i].glimpses;
                if (observers[i].longest_gap_us > totals->longest_gap_us)
                        totals->longest_gap_us = observers[i].longest_gap_us;
        }
}

static int measure(struct bench *bench, swap_function swap, int swaps, struct totals *totals,
                   struct su_error *err)
{
        su_auto_free uint64_t *times = calloc((size_t)swaps + 1, sizeof *times);
        struct observer observers[THREADS] = {0};
        pthread_t threads[THREADS];
        int r;

        if (!times)
                return su_fail_oom(err);
        r = swap(bench, 0, &times[0], err); /* there is a layer before anybody looks */
        if (r < 0)
                return r;
        for (int i = 0; i < THREADS; i++) {
                observers[i].bench = bench;
                if (pthread_create(&threads[i], NULL, observe, &observers[i]) != 0)
                        return su_fail_oom(err);
        }
        for (int i = 0; i < swaps && r >= 0; i++)
                r = swap(bench, (i + 1) % IMAGES, &times[i], err);
        join(threads, observers, totals);
        if (r < 0)
                return r;
        qsort(times, (size_t)swaps, sizeof *times, compare);
        totals->median_us = times[swaps / 2];
        totals->longest_us = times[swaps - 1];
        return su_layers_deactivate(bench->root, NULL, err);
}

static void print_row(const struct totals *totals)
{
        (void)printf("%-22s %9llu %9llu %9llu %9llu %9llu %12llu\n", totals->name,
                     (unsigned long long)totals->opens, (unsigned long long)totals->failed,
                     (unsigned long long)totals->glimpses, (unsigned long long)totals->median_us,
                     (unsigned long long)totals->longest_us,
                     (unsigned long long)totals->longest_gap_us);
}

static int run(struct bench *bench, int swaps, struct su_error *err)
{
        struct totals beneath = {.name = "suture, beneath"};
        struct totals stacked = {.name = "suture, stacked"};
        struct totals naive = {.name = "umount and mount"};
        int r;

        r = measure(bench, swap_beneath, swaps, &beneath, err);
        /* Each stacked overlay stays below the next until the end: few are enough. */
        if (r >= 0)
                r = measure(bench, swap_stacked, swaps < 50 ? swaps : 50, &stacked, err);
        if (r >= 0)
                r = measure(bench, swap_naively, swaps, &naive, err);
        if (r < 0)
                return r;
        (void)printf("%d swaps under %d threads that open and read\n", swaps, THREADS);
        (void)printf("%-22s %9s %9s %9s %9s %9s %12s\n", "", "opens", "failed", "glimpses",
                     "median us", "max us", "longest gap");
        print_row(&beneath);
        print_row(&stacked);
        print_row(&naive);
        (void)printf("figure: swap_failed_opens %llu opens\n", (unsigned long long)beneath.failed);
        (void)printf("figure: swap_base_glimpses %llu opens\n",
                     (unsigned long long)beneath.glimpses);
        (void)printf("figure: swap_ms %.3f ms\n", (double)beneath.median_us / 1000);
        (void)printf("figure: swap_longest_gap_us %llu us\n",
                     (unsigned long long)beneath.longest_gap_us);
        (void)printf("figure: naive_base_glimpses %llu opens\n",
                     (unsigned long long)naive.glimpses);
        (void)printf("figure: naive_longest_gap_us %llu us\n",
                     (unsigned long long)naive.longest_gap_us);
        return 0;
}

int main(int argc, char **argv)
{
        struct bench bench = {.image_fds = {-EBADF, -EBADF}};
        struct su_error error = {0};
        int swaps = argc > 1 ? atoi(argv[1]) : 500;
        int r;

        r = setup(&bench, &error);
        if (r >= 0)
                r = run(&bench, swaps > 0 ? swaps : 1, &error);
        teardown(&bench);
        if (r >= 0)
                return 0;
        (void)fprintf(stderr, "swap: %s\n", error.message);
        return 1;
}
