/* How atomic is a swap? Threads open files below a patched /usr as fast as they can while it is
 * swapped to and fro: by Suture (beneath the present overlay, and stacked as before Linux 6.5),
 * and, as peers, by the usual way, umount and mount again, and by systemd-sysext with the same
 * images. One row does Suture's work without the swap: what its longest gap shows is the machine.
 *
 * Needs root; works on a tree of its own in a private mount namespace.
 *
 *     swap SWAPS SWAPS-OF-SYSEXT
 *     swap beneath SWAPS             only Suture's own way
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "image/build.h"
#include "layers/layers.h"

#define FILES 64
#define THREADS 2
#define PAUSE_US                                                                                   \
        2000 /* between two swaps: without it a slow peer would show nothing but its gaps */
#define IMAGES 2
#define STACKED_MAX 50 /* a stacked overlay stays below the next until the end of its round */

#define OS_RELEASE "ID=bench\nVERSION_ID=1\n"
#define EXTENSION "bench"

struct bench {
        char root[64];
        int image_fds[IMAGES];
        int64_t generation;
        const char *extension; /* the name below EXTENSIONS of what systemd-sysext merges */
};

/* What one thread saw. */
struct observer {
        const struct bench *bench;
        atomic_bool stop;
        uint64_t opens;
        uint64_t failed;
        uint64_t glimpses;    /* of the bare base */
        atomic_ullong gap_us; /* the longest between two successful opens of patched content,
                                       since it was last asked for */
};

/* One way to swap. */
struct peer {
        const char *name;
        int (*put)(struct bench *bench, int image, struct su_error *err); /* before anybody looks */
        int (*swap)(struct bench *bench, int image, uint64_t *ret_switch_us, struct su_error *err);
        int (*take_off)(struct bench *bench, struct su_error *err);
        int per_round; /* at most so many swaps before everything is taken off; 0: any number */
};

struct row {
        int swaps; /* 0: not measured */
        uint64_t opens;
        uint64_t failed;
        uint64_t glimpses;
        /* Of each swap, sorted. */
        uint64_t *gap_us;
        uint64_t *call_us;
        uint64_t *switch_us; /* the part of the call that changes /usr; 0: not known */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signum)
{
        (void)signum;
        interrupted = 1;
}

static int in_root(const struct bench *bench, const char *path, char **ret, struct su_error *err)
{
        return su_format(ret, err, "%s/%s", bench->root, path);
}

static int make_directory(const char *path, int *ret_fd, struct su_error *err)
{
        su_auto_close int root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return root_fd < 0 ? su_fail_errno(err, errno, "cannot open /")
                           : su_dir_make(root_fd, path, 0755, ret_fd, err);
}

static int write_file(const struct bench *bench, const char *directory, const char *name,
                      const char *text, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_close int fd = -EBADF;
        int r;

        r = in_root(bench, directory, &path, err);
        if (r >= 0)
                r = make_directory(path, &fd, err);
        if (r >= 0)
                r = su_file_write(fd, name, text, strlen(text), 0644, err);
        return r;
}

/* Each file holds one letter that tells where it comes from: 'B' the base, '0' and '1' the images.
 */
static int write_tree(const struct bench *bench, const char *directory, char letter,
                      struct su_error *err)
{
        const char text[] = {letter, '\0'};
        int r = 0;

        for (int i = 0; i < FILES && r >= 0; i++) {
                char name[24];

                (void)snprintf(name, sizeof name, "file%d", i);
                r = write_file(bench, directory, name, text, err);
        }
        return r;
}

/* An image that both can lay over /usr: systemd-sysext wants to be told for which OS. */
static int make_image(struct bench *bench, int image, struct su_error *err)
{
        su_auto_free char *lib = NULL;
        su_auto_free char *release = NULL;
        su_auto_free char *top = NULL;
        su_auto_free char *path = NULL;
        int r;

        r = su_format(&lib, err, "tree%d/usr/lib", image);
        if (r >= 0)
                r = write_tree(bench, lib, (char)('0' + image), err);
        if (r >= 0)
                r = su_format(&release, err, "%s/extension-release.d", lib);
        if (r >= 0)
                r = write_file(bench, release, "extension-release." EXTENSION, OS_RELEASE, err);
        if (r >= 0)
                r = su_format(&top, err, "%s/tree%d", bench->root, image);
        if (r >= 0)
                r = su_format(&path, err, "%s/image%d.erofs", bench->root, image);
        if (r >= 0)
                r = su_image_build(top, path, 1, top, false, err);
        if (r < 0)
                return r;
        bench->image_fds[image] = open(path, O_RDONLY | O_CLOEXEC);
        return bench->image_fds[image] < 0 ? su_fail_errno(err, errno, "cannot open '%s'", path)
                                           : 0;
}

/* As on a real device, the tree is a mount that is shared; its peer group is of this namespace.
 * systemd-sysext works in /run, which is a tmpfs of our own here. */
static int enter_namespace(const struct bench *bench, struct su_error *err)
{
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return su_fail_errno(err, errno, "cannot make a private mount namespace");
        if (mount("bench", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
                return su_fail_errno(err, errno, "cannot mount a tmpfs on /run");
        if (mount(bench->root, bench->root, NULL, MS_BIND, NULL) < 0 ||
            mount(NULL, bench->root, NULL, MS_SHARED, NULL) < 0)
                return su_fail_errno(err, errno, "cannot make '%s' a mount", bench->root);
        return 0;
}

static int setup(struct bench *bench, struct su_error *err)
{
        static const char *const directories[] = {"var/lib/suture", "run/extensions", "spare"};
        int r;

        (void)snprintf(bench->root, sizeof bench->root, "/var/tmp/suture-bench.XXXXXX");
        if (!mkdtemp(bench->root)) {
                bench->root[0] = '\0';
                return su_fail_errno(err, errno, "cannot make a scratch directory");
        }
        r = enter_namespace(bench, err);
        if (r >= 0)
                r = write_tree(bench, "usr/lib", 'B', err);
        if (r >= 0)
                r = write_file(bench, "etc", "os-release", OS_RELEASE, err);
        for (size_t i = 0; i < SU_ELEMENTS(directories) && r >= 0; i++) {
                su_auto_free char *path = NULL;
                su_auto_close int fd = -EBADF;

                r = in_root(bench, directories[i], &path, err);
                if (r >= 0)
                        r = make_directory(path, &fd, err);
        }
        for (int i = 0; i < IMAGES && r >= 0; i++)
                r = make_image(bench, i, err);
        return r;
}

static void teardown(struct bench *bench)
{
        if (!bench->root[0])
                return;
        for (int i = 0; i < IMAGES; i++)
                su_close_fd(&bench->image_fds[i]);
        (void)umount2(bench->root, MNT_DETACH); /* and all that lies below it */
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
                        if (now - last > atomic_load(&observer->gap_us))
                                atomic_store(&observer->gap_us, now - last);
                        last = now;
                }
        }
        return NULL;
}

static int activate(struct bench *bench, int image, const struct su_swap_options *options,
                    uint64_t *ret_switch_us, struct su_error *err)
{
        const struct su_layer layer = {bench->image_fds[image], "bench"};
        struct su_swap_times times;
        int r;

        r = su_layers_activate(bench->root, SU_USR, &layer, 1, ++bench->generation, options, &times,
                               err);
        if (r >= 0)
                *ret_switch_us = times.swap_us;
        return r;
}

static int put(struct bench *bench, int image, struct su_error *err)
{
        uint64_t unused;

        return activate(bench, image, NULL, &unused, err);
}

static int take_off(struct bench *bench, struct su_error *err)
{
        return su_layers_deactivate(bench->root, SU_USR, NULL, err);
}

static int swap_beneath(struct bench *bench, int image, uint64_t *ret_switch_us,
                        struct su_error *err)
{
        return activate(bench, image, NULL, ret_switch_us, err);
}

static int swap_stacked(struct bench *bench, int image, uint64_t *ret_switch_us,
                        struct su_error *err)
{
        const struct su_swap_options options = {.never_beneath = true};

        return activate(bench, image, &options, ret_switch_us, err);
}

/* Take the old overlay off, put the new one on. */
static int swap_naively(struct bench *bench, int image, uint64_t *ret_switch_us,
                        struct su_error *err)
{
        uint64_t began = su_monotonic_us();
        uint64_t unused;
        int r;

        r = su_layers_deactivate(bench->root, SU_USR, NULL, err);
        if (r >= 0)
                r = activate(bench, image, NULL, &unused, err);
        if (r >= 0)
                *ret_switch_us = su_monotonic_us() - began;
        return r;
}

/* No swap: a process and a mount namespace come and go as they do for one. */
static int swap_nothing(struct bench *bench, int image, uint64_t *ret_switch_us,
                        struct su_error *err)
{
        su_auto_close int fd = -EBADF;

        (void)image;
        (void)ret_switch_us;
        return su_layers_open_base(bench->root, &fd, err);
}

static int sysext(const struct bench *bench, const char *verb, struct su_error *err)
{
        su_auto_free char *root = NULL;
        int r;

        r = su_format(&root, err, "--root=%s", bench->root);
        if (r < 0)
                return r;
        const char *const argv[] = {"systemd-sysext", root, verb, NULL};
        return su_process_run(argv, NULL, NULL, err);
}

/* Lay out what systemd-sysext merges: the one extension, and its other version beside it. */
static int lay_out(struct bench *bench, const char *extension, const char *const sources[IMAGES],
                   struct su_error *err)
{
        static const char *const places[IMAGES] = {"run/extensions", "spare"};

        bench->extension = extension;
        for (int i = 0; i < IMAGES; i++) {
                su_auto_free char *from = NULL;
                su_auto_free char *to = NULL;
                int r;

                r = in_root(bench, sources[i], &from, err);
                if (r >= 0)
                        r = su_format(&to, err, "%s/%s/%s", bench->root, places[i], extension);
                if (r < 0)
                        return r;
                if (rename(from, to) < 0)
                        return su_fail_errno(err, errno, "cannot move '%s' to '%s'", from, to);
        }
        return sysext(bench, "merge", err);
}

static int put_image_extension(struct bench *bench, int image, struct su_error *err)
{
        (void)image;
        return lay_out(bench, EXTENSION ".raw", (const char *[]){"image0.erofs", "image1.erofs"},
                       err);
}

static int put_directory_extension(struct bench *bench, int image, struct su_error *err)
{
        (void)image;
        return lay_out(bench, EXTENSION, (const char *[]){"tree0", "tree1"}, err);
}

/* The extension and its other version change places in one step; then the tool is told. */
static int swap_sysext(struct bench *bench, int image, uint64_t *ret_switch_us,
                       struct su_error *err)
{
        su_auto_free char *present = NULL;
        su_auto_free char *next = NULL;
        int r;

        (void)image;
        (void)ret_switch_us;
        r = su_format(&present, err, "%s/run/extensions/%s", bench->root, bench->extension);
        if (r >= 0)
                r = su_format(&next, err, "%s/spare/%s", bench->root, bench->extension);
        if (r < 0)
                return r;
        if (renameat2(AT_FDCWD, next, AT_FDCWD, present, RENAME_EXCHANGE) < 0)
                return su_fail_errno(err, errno, "cannot exchange the extension");
        return sysext(bench, "refresh", err);
}

static int take_off_sysext(struct bench *bench, struct su_error *err)
{
        su_auto_free char *present = NULL;
        int r;

        r = sysext(bench, "unmerge", err);
        if (r >= 0)
                r = su_format(&present, err, "%s/run/extensions/%s", bench->root, bench->extension);
        if (r >= 0)
                r = su_remove_tree(AT_FDCWD, present, err);
        return r;
}

static void stop_observers(pthread_t *threads, struct observer *observers, int count,
                           struct row *row)
{
        for (int i = 0; i < count; i++)
                atomic_store(&observers[i].stop, true);
        for (int i = 0; i < count; i++) {
                (void)pthread_join(threads[i], NULL);
                row->opens += observers[i].opens;
                row->failed += observers[i].failed;
                row->glimpses += observers[i].glimpses;
        }
}

static void pause_a_while(void)
{
        const struct timespec pause = {.tv_nsec = PAUSE_US * 1000L};

        (void)nanosleep(&pause, NULL);
}

/* A gap that is longer than a swap and the pause counts for the swap at whose end it ends. */
static uint64_t take_longest_gap(struct observer *observers)
{
        uint64_t longest = 0;

        for (int i = 0; i < THREADS; i++) {
                uint64_t gap = atomic_exchange(&observers[i].gap_us, 0);

                if (gap > longest)
                        longest = gap;
        }
        return longest;
}

static int swap_observed(struct bench *bench, const struct peer *peer, int from, int to,
                         struct observer *observers, struct row *row, struct su_error *err)
{
        int r = 0;

        for (int i = from; i < to && r >= 0; i++) {
                uint64_t began = su_monotonic_us();

                if (interrupted)
                        return su_fail(err, SU_ERROR_CANCELLED, "interrupted");
                r = peer->swap(bench, (i + 1) % IMAGES, &row->switch_us[i], err);
                row->call_us[i] = su_monotonic_us() - began;
                pause_a_while();
                row->gap_us[i] = take_longest_gap(observers);
        }
        return r;
}

static int measure_round(struct bench *bench, const struct peer *peer, int from, int to,
                         struct row *row, struct su_error *err)
{
        struct observer observers[THREADS] = {0};
        pthread_t threads[THREADS];
        int started = 0;
        int r;

        r = peer->put(bench, from % IMAGES, err);
        while (r >= 0 && started < THREADS) {
                observers[started].bench = bench;
                if (pthread_create(&threads[started], NULL, observe, &observers[started]) != 0)
                        r = su_fail_oom(err);
                else
                        started++;
        }
        if (r >= 0)
                r = swap_observed(bench, peer, from, to, observers, row, err);
        stop_observers(threads, observers, started, row);
        if (r >= 0)
                return peer->take_off(bench, err);
        (void)peer->take_off(bench, NULL);
        return r;
}

static int compare(const void *a, const void *b)
{
        const uint64_t *left = a;
        const uint64_t *right = b;

        return (*left > *right) - (*left < *right);
}

static int allocate(int swaps, struct row *row, struct su_error *err)
{
        row->gap_us = calloc((size_t)swaps, sizeof *row->gap_us);
        row->call_us = calloc((size_t)swaps, sizeof *row->call_us);
        row->switch_us = calloc((size_t)swaps, sizeof *row->switch_us);
        if (!row->gap_us || !row->call_us || !row->switch_us)
                return su_fail_oom(err);
        return 0;
}

static void release(struct row *row)
{
        free(row->gap_us);
        free(row->call_us);
        free(row->switch_us);
}

static int measure(struct bench *bench, const struct peer *peer, int swaps, struct row *row,
                   struct su_error *err)
{
        int per_round = peer->per_round > 0 ? peer->per_round : swaps;
        int r;

        r = allocate(swaps, row, err);
        for (int from = 0; from < swaps && r >= 0; from += per_round) {
                int to = swaps - from > per_round ? from + per_round : swaps;

                r = measure_round(bench, peer, from, to, row, err);
        }
        if (r < 0)
                return r;
        qsort(row->gap_us, (size_t)swaps, sizeof *row->gap_us, compare);
        qsort(row->call_us, (size_t)swaps, sizeof *row->call_us, compare);
        qsort(row->switch_us, (size_t)swaps, sizeof *row->switch_us, compare);
        row->swaps = swaps;
        return 0;
}

static uint64_t median(const struct row *row, const uint64_t *sorted)
{
        return sorted[row->swaps / 2];
}

static uint64_t longest(const struct row *row, const uint64_t *sorted)
{
        return sorted[row->swaps - 1];
}

static void print_head(void)
{
        (void)printf("%d threads open and read. gap: of each swap, the longest time between two "
                     "successful opens of patched\n"
                     "content; call: from asking for the swap to its end; switch: the part of it "
                     "that changes /usr.\n"
                     "Microseconds, median (med) and longest (max).\n\n",
                     THREADS);
        (void)printf("%-20s %5s %9s %6s %9s %8s %8s %8s %8s %8s\n", "", "swaps", "opens", "failed",
                     "glimpses", "gap med", "gap max", "call med", "call max", "switch");
}

static void print_row(const struct peer *peer, const struct row *row)
{
        (void)printf("%-20s %5d %9llu %6llu %9llu %8llu %8llu %8llu %8llu ", peer->name, row->swaps,
                     (unsigned long long)row->opens, (unsigned long long)row->failed,
                     (unsigned long long)row->glimpses,
                     (unsigned long long)median(row, row->gap_us),
                     (unsigned long long)longest(row, row->gap_us),
                     (unsigned long long)median(row, row->call_us),
                     (unsigned long long)longest(row, row->call_us));
        if (longest(row, row->switch_us) > 0)
                (void)printf("%8llu\n", (unsigned long long)median(row, row->switch_us));
        else
                (void)printf("%8s\n", "-");
        (void)fflush(stdout);
}

enum which { BENEATH, STACKED, NOTHING, NAIVE, SYSEXT_IMAGE, SYSEXT_DIRECTORY, N_PEERS };

static const struct peer peers[N_PEERS] = {
        [BENEATH] = {"Suture, beneath", put, swap_beneath, take_off, 0},
        [STACKED] = {"Suture, stacked", put, swap_stacked, take_off, STACKED_MAX},
        [NOTHING] = {"(no swap at all)", put, swap_nothing, take_off, 0},
        [NAIVE] = {"umount and mount", put, swap_naively, take_off, 0},
        [SYSEXT_IMAGE] = {"sysext, same images", put_image_extension, swap_sysext, take_off_sysext,
                          0},
        [SYSEXT_DIRECTORY] = {"sysext, directories", put_directory_extension, swap_sysext,
                              take_off_sysext, 0},
};

static bool is_sysext(int which)
{
        return which == SYSEXT_IMAGE || which == SYSEXT_DIRECTORY;
}

/* A peer that does not work here is said aloud, and does not keep the others from being measured.
 */
static int measure_all(struct bench *bench, int swaps, int sysext_swaps, struct row rows[N_PEERS],
                       struct su_error *err)
{
        print_head();
        for (int i = 0; i < N_PEERS; i++) {
                int r;

                r = measure(bench, &peers[i], is_sysext(i) ? sysext_swaps : swaps, &rows[i], err);
                if (r < 0 && (!is_sysext(i) || interrupted))
                        return r;
                if (r >= 0)
                        print_row(&peers[i], &rows[i]);
                else
                        (void)printf("%-24s NOT MEASURED: %s\n", peers[i].name, err->message);
        }
        return 0;
}

static void print_figure(const char *name, const char *what, uint64_t value, const char *unit)
{
        (void)printf("figure: %s_%s %llu %s\n", name, what, (unsigned long long)value, unit);
}

static void print_gaps(const char *name, const struct row *row)
{
        print_figure(name, "median_gap_us", median(row, row->gap_us), "us");
        print_figure(name, "longest_gap_us", longest(row, row->gap_us), "us");
}

static void print_figures(const char *name, const struct row *row)
{
        uint64_t us;

        if (row->swaps == 0)
                return;
        us = median(row, row->call_us);
        print_figure(name, "swaps", (uint64_t)row->swaps, "swaps");
        print_figure(name, "failed_opens", row->failed, "opens");
        print_figure(name, "base_glimpses", row->glimpses, "opens");
        print_gaps(name, row);
        (void)printf("figure: %s_call_ms %.3f ms\n", name, (double)us / 1000);
        /* The moment of change where it is known, which is what Suture's figure always was. */
        if (longest(row, row->switch_us) > 0)
                us = median(row, row->switch_us);
        (void)printf("figure: %s_ms %.3f ms\n", name, (double)us / 1000);
}

static int run(struct bench *bench, int swaps, int sysext_swaps, struct su_error *err)
{
        struct row rows[N_PEERS] = {0};
        int r;

        r = measure_all(bench, swaps, sysext_swaps, rows, err);
        if (r >= 0) {
                const struct row *sysext_row = &rows[SYSEXT_IMAGE];

                if (sysext_row->swaps == 0)
                        sysext_row = &rows[SYSEXT_DIRECTORY];
                print_figures("stacked", &rows[STACKED]);
                print_gaps("idle", &rows[NOTHING]);
                print_figures("naive", &rows[NAIVE]);
                print_figures("sysext", sysext_row);
                print_figures("swap", &rows[BENEATH]);
        }
        for (int i = 0; i < N_PEERS; i++)
                release(&rows[i]);
        return r;
}

static int run_beneath(struct bench *bench, int swaps, struct su_error *err)
{
        struct row row = {0};
        int r;

        r = measure(bench, &peers[BENEATH], swaps, &row, err);
        if (r >= 0) {
                print_head();
                print_row(&peers[BENEATH], &row);
                print_figures("swap", &row);
        }
        release(&row);
        return r;
}

static int count_of(const char *text, int otherwise)
{
        int count = text ? atoi(text) : otherwise;

        return count > 0 ? count : 1;
}

int main(int argc, char **argv)
{
        const struct sigaction action = {.sa_handler = on_signal};
        struct bench bench = {.image_fds = {-EBADF, -EBADF}};
        struct su_error error = {0};
        bool only_beneath = argc > 2 && strcmp(argv[1], "beneath") == 0;
        int swaps = count_of(argc > 1 ? argv[only_beneath ? 2 : 1] : NULL, 1000);
        int r;

        (void)sigaction(SIGINT, &action, NULL);
        (void)sigaction(SIGTERM, &action, NULL);
        (void)setenv("SYSTEMD_SYSEXT_HIERARCHIES", "/usr", 1);
        r = setup(&bench, &error);
        if (r >= 0 && only_beneath)
                r = run_beneath(&bench, swaps, &error);
        else if (r >= 0)
                r = run(&bench, swaps, count_of(argc > 2 ? argv[2] : NULL, swaps), &error);
        teardown(&bench);
        if (r >= 0)
                return 0;
        (void)fprintf(stderr, "swap: %s\n", error.message);
        return 1;
}
