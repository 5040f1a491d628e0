/* The exposure scan alone, again and again: who maps one of these builds?
 *
 *     bench-scan query|maps ROOT RUNS LIBRARY...
 *
 * The first line: median CPU time and median wall time of a run in microseconds, and how many
 * processes were looked at. Then the process ids that were found, one a line. "maps" is the way of
 * kernels before 6.11.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/own.h"
#include "exposure/exposure.h"
#include "inventory/build_id.h"

#define RUNS_MAX 1000

static uint64_t cpu_us(void)
{
        struct timespec time;

        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
        const uint64_t *left = a;
        const uint64_t *right = b;

        return (*left > *right) - (*left < *right);
}

static uint64_t median(uint64_t *values, int count)
{
        qsort(values, (size_t)count, sizeof *values, compare);
        return values[count / 2];
}

static int add_library(struct su_old_code_set *set, const char *path, struct su_error *err)
{
        su_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct su_build_id id;
        int r;

        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", path);
        r = su_build_id_read(fd, path, &id, NULL, err);
        if (r < 0)
                return r;
        if (id.size == 0)
                return su_fail(err, SU_ERROR_USAGE, "'%s' has no build-id", path);
        return su_old_code_add(set, &(struct su_old_code){id, "fix", path, NULL}, err);
}

static void print(const struct su_exposure *exposure, uint64_t cpu, uint64_t wall)
{
        (void)printf("%llu %llu %zu\n", (unsigned long long)cpu, (unsigned long long)wall,
                     exposure->n_scanned);
        for (size_t i = 0; i < exposure->n_processes; i++)
                (void)printf("%d\n", (int)exposure->processes[i].pid);
}

static int scan(const char *root, int runs, const struct su_old_code_set *set,
                const struct su_scan_options *options, struct su_error *err)
{
        uint64_t cpu[RUNS_MAX];
        uint64_t wall[RUNS_MAX];

        for (int i = 0; i < runs; i++) {
                su_auto_exposure struct su_exposure exposure = {0};
                uint64_t cpu_began = cpu_us();
                uint64_t wall_began = su_monotonic_us();
                int r;

                r = su_exposure_scan(root, set, options, &exposure, err);
                if (r < 0)
                        return r;
                cpu[i] = cpu_us() - cpu_began;
                wall[i] = su_monotonic_us() - wall_began;
                if (i == runs - 1)
                        print(&exposure, median(cpu, runs), median(wall, runs));
        }
        return 0;
}

int main(int argc, char **argv)
{
        su_auto_old_code struct su_old_code_set set = {0};
        struct su_scan_options options = {0};
        struct su_error error = {0};
        int runs = argc > 3 ? atoi(argv[3]) : 0;
        int r = 0;

        if (argc < 5 || runs < 1 || runs > RUNS_MAX) {
                (void)fprintf(stderr, "usage: bench-scan query|maps ROOT RUNS LIBRARY...\n");
                return 2;
        }
        options.never_query = strcmp(argv[1], "maps") == 0;
        for (int i = 4; i < argc && r >= 0; i++)
                r = add_library(&set, argv[i], &error);
        su_old_code_sort(&set);
        if (r >= 0)
                r = scan(argv[2], runs, &set, &options, &error);
        if (r >= 0)
                return 0;
        (void)fprintf(stderr, "bench-scan: %s\n", error.message);
        return 1;
}
