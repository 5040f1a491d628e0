/* Deltas of many random pairs: they come out again, the same each time, and never much larger than
 * zstd's; and decoding asks for no more memory than is promised. */
#include "forge-delta.h"
#include "random.h"
#include "sample-elf.h"
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"
#include "delta/apply/apply.h"
#include "delta/make/make.h"
#include "delta/make/parts_make.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif

#define SOURCES_MAX 3
#define FILE_MAX 65536

/* ---- pairs ---- */

struct file {
        uint8_t *data;
        size_t size;
        int fd;
};

struct pair {
        struct file sources[SOURCES_MAX], target;
        size_t n;
};

static const char *const names[] = {"one", "two", "three"};

static void add_bytes(struct file *file, const void *data, size_t size)
{
        if (!file->data)
                file->data = calloc(1, 2 * FILE_MAX);
        assert_true(file->data && size < 2 * FILE_MAX - file->size);
        if (size)
                memcpy(file->data + file->size, data, size);
        file->size += size;
}

static void add_sample(struct file *file, uint64_t *seed, unsigned version)
{
        struct sample_elf sample = {
                .machine = random_below(seed, 2) ? EM_X86_64 : EM_AARCH64,
                .functions = (unsigned)(4 + random_below(seed, 60)),
                .version = version,
                .fixed = random_below(seed, 4) == 0,
                .bare = random_below(seed, 4) == 0,
        };

        sample_elf_make(&sample);
        add_bytes(file, sample.data, sample.size);
        free(sample.data);
        if (random_below(seed, 2)) /* as in an image: files begin at pages */
                file->size = (file->size + 4095) / 4096 * 4096;
}

static void add_text(struct file *file, uint64_t *seed)
{
        char line[64];

        for (uint64_t n = random_below(seed, 200); n > 0; n--) {
                (void)snprintf(line, sizeof line, "%s %u of %u\n",
                               random_below(seed, 2) ? "this is line" : "and here is another:",
                               (unsigned)n, (unsigned)random_below(seed, 1000));
                add_bytes(file, line, strlen(line));
        }
}

static void add_noise(struct file *file, uint64_t *seed)
{
        uint8_t noise[3000];

        fill_noise(noise, sizeof noise, (uint32_t)random_next(seed));
        add_bytes(file, noise, random_below(seed, sizeof noise));
}

static void add_source(struct file *file, uint64_t seed, unsigned version)
{
        unsigned kinds = (unsigned)random_below(&seed, 8);

        add_bytes(file, "", 0);
        if (kinds & 1)
                add_sample(file, &seed, version);
        if (kinds & 2)
                add_text(file, &seed);
        if (kinds & 4)
                add_noise(file, &seed);
        if (kinds == 1)
                add_sample(file, &seed, version);
}

/* A few bytes of the target change, some are gone, some are there twice. */
static void edit(struct file *file, uint64_t *seed)
{
        for (uint64_t n = random_below(seed, 12); n > 0 && file->size > 100; n--) {
                size_t at = random_below(seed, file->size - 50), size = random_below(seed, 50);

                switch (random_below(seed, 3)) {
                case 0:
                        file->data[at] ^= (uint8_t)random_next(seed);
                        break;
                case 1:
                        memmove(file->data + at, file->data + at + size, file->size - at - size);
                        file->size -= size;
                        break;
                default:
                        memmove(file->data + at + size, file->data + at, file->size - at);
                        file->size += size;
                }
        }
}

/* The target is made as the sources are, in a later version, in another order. */
static void pair_init(struct pair *pair, uint64_t seed)
{
        memset(pair, 0, sizeof *pair);
        pair->n = random_below(&seed, SOURCES_MAX + 1);
        for (size_t i = 0; i < pair->n; i++) {
                add_source(&pair->sources[i], seed + i, 0);
                pair->sources[i].fd = memory_file_of(pair->sources[i].data, pair->sources[i].size);
        }
        add_bytes(&pair->target, "", 0);
        for (size_t i = pair->n; i-- > 0;)
                add_source(&pair->target, seed + i, (unsigned)random_below(&seed, 3));
        if (pair->n == 0)
                add_text(&pair->target, &seed);
        edit(&pair->target, &seed);
        pair->target.fd = memory_file_of(pair->target.data, pair->target.size);
}

static void pair_done(struct pair *pair)
{
        for (size_t i = 0; i < pair->n; i++) {
                free(pair->sources[i].data);
                su_close_fd(&pair->sources[i].fd);
        }
        free(pair->target.data);
        su_close_fd(&pair->target.fd);
}

/* ---- making and applying ---- */

static size_t size_of(int fd)
{
        struct stat st;

        assert_int_equal(fstat(fd, &st), 0);
        return (size_t)st.st_size;
}

static int make(const struct pair *pair, enum su_delta_effort effort)
{
        int fds[SOURCES_MAX] = {0}, patch_fd = memory_file_of("", 0);
        struct su_error err = {0};

        for (size_t i = 0; i < pair->n; i++)
                fds[i] = pair->sources[i].fd;
        assert_ok(su_delta_make(fds, names, pair->n, pair->target.fd, patch_fd, effort, &err), err);
        return patch_fd;
}

static void assert_holds(int fd, const uint8_t *wanted, size_t size)
{
        su_auto_free uint8_t *data = malloc(size + 1);

        assert_non_null(data);
        assert_int_equal(size_of(fd), size);
        assert_int_equal(su_read_exact_at(fd, data, size, 0, "file", NULL), 0);
        assert_memory_equal(data, wanted, size);
}

static void check_apply(const struct pair *pair, int patch_fd)
{
        su_auto_close int target_fd = memory_file_of("", 0);
        int fds[SOURCES_MAX] = {0};
        struct su_error err = {0};

        for (size_t i = 0; i < pair->n; i++)
                fds[i] = pair->sources[i].fd;
        assert_ok(su_delta_apply(patch_fd, fds, names, pair->n, target_fd, NULL, NULL, &err), err);
        assert_holds(target_fd, pair->target.data, pair->target.size);
}

static void test_round_trips(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= (SANITIZED ? 40 : 150); seed++) {
                struct pair pair;
                su_auto_close int fast_fd = -EBADF, best_fd = -EBADF;

                pair_init(&pair, seed);
                fast_fd = make(&pair, SU_DELTA_FAST);
                check_apply(&pair, fast_fd);
                best_fd = make(&pair, SU_DELTA_BEST);
                check_apply(&pair, best_fd);
                pair_done(&pair);
        }
}

static void test_same_input_same_bytes(void **state)
{
        (void)state;
        for (uint64_t seed = 1000; seed < 1020; seed++) {
                struct pair pair;
                su_auto_close int first_fd = -EBADF, second_fd = -EBADF;
                su_auto_free uint8_t *first = NULL;
                size_t size;

                pair_init(&pair, seed);
                first_fd = make(&pair, SU_DELTA_BEST);
                second_fd = make(&pair, SU_DELTA_BEST);
                size = size_of(first_fd);
                first = malloc(size);
                assert_non_null(first);
                assert_int_equal(su_read_exact_at(first_fd, first, size, 0, "patch", NULL), 0);
                assert_holds(second_fd, first, size);
                pair_done(&pair);
        }
}

/* zstd --ultra -22 --patch-from, which knows neither digests nor modules. */
static size_t zstd_size(const struct pair *pair)
{
        ZSTD_CCtx *context = ZSTD_createCCtx();
        size_t bound = ZSTD_compressBound(pair->target.size), size;
        su_auto_free uint8_t *packed = malloc(bound);
        struct file old = {0};

        assert_true(context && packed);
        for (size_t i = 0; i < pair->n; i++)
                add_bytes(&old, pair->sources[i].data, pair->sources[i].size);
        assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 22)));
        assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 20)));
        if (old.size > 0)
                assert_false(ZSTD_isError(ZSTD_CCtx_refPrefix(context, old.data, old.size)));
        size = ZSTD_compress2(context, packed, bound, pair->target.data, pair->target.size);
        assert_false(ZSTD_isError(size));
        (void)ZSTD_freeCCtx(context);
        free(old.data);
        return size;
}

/* The head has digests. Of several sources it has a few bytes for each, and they lie further apart
 * than zstd's, one behind the other: distances take more bits. */
static void test_never_much_larger_than_zstd(void **state)
{
        size_t ours = 0, theirs = 0;

        (void)state;
        for (uint64_t seed = 2000; seed < (SANITIZED ? 2010 : 2100); seed++) {
                struct pair pair;
                su_auto_close int patch_fd = -EBADF;
                size_t size;

                pair_init(&pair, seed);
                patch_fd = make(&pair, SU_DELTA_BEST);
                size = zstd_size(&pair);
                if (size_of(patch_fd) > size + 64 + (pair.n > 1 ? size / 20 + 8 * pair.n : 0))
                        fail_msg("pair %u: %zu bytes, zstd needs %zu", (unsigned)seed,
                                 size_of(patch_fd), size);
                ours += size_of(patch_fd);
                theirs += size;
                pair_done(&pair);
        }
        print_message("# %zu bytes, zstd %zu\n", ours, theirs);
}

/* ---- memory ---- */

#define LARGE ((size_t)64 << 20)
#define MODULE ((size_t)40 << 20)
#define PACKED ((size_t)8 << 20)
#define RSS_MAX (32 << 10) /* KiB */

/* A file of memory that is nobody's own, with a module in it, and the target in a second one. */
static uint8_t *map_large(int fd)
{
        uint8_t *data;

        assert_int_equal(ftruncate(fd, (off_t)LARGE), 0);
        data = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        assert_true(data != MAP_FAILED);
        return data;
}

static void fill_old(uint8_t *old)
{
        struct sample_elf sample = {.machine = EM_X86_64, .functions = SAMPLE_FUNCTIONS_MAX};

        sample_elf_make(&sample);
        memcpy(old, sample.data, sample.size);
        free(sample.data);
        for (size_t at = 1 << 20; at < LARGE; at += 4096)
                fill_noise(old + at, 64, (uint32_t)at);
}

/* Anonymous memory of this process that is resident, in KiB. */
static long anonymous_memory(void)
{
        FILE *status = fopen("/proc/self/status", "r");
        char line[256];
        long result = -1;

        while (status && fgets(line, sizeof line, status))
                if (strncmp(line, "RssAnon:", 8) == 0)
                        result = strtol(line + 8, NULL, 10);
        if (status)
                (void)fclose(status);
        return result;
}

struct watch {
        uint64_t next;
        long most;
};

static bool watch_memory(void *userdata, uint64_t done, uint64_t total)
{
        struct watch *watch = userdata;

        if (done >= watch->next || done == total) {
                long now = anonymous_memory();

                watch->most = now > watch->most ? now : watch->most;
                watch->next = done + (1 << 20);
        }
        return false;
}

/* In a process of its own: how much it takes, or -1. */
static long measure_apply(int patch_fd, int old_fd)
{
        int pipe_fds[2];
        long most = -1;
        pid_t pid;

        assert_int_equal(pipe(pipe_fds), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                struct watch watch = {0};
                int target_fd = memory_file_of("", 0);

                if (su_delta_apply(patch_fd, &old_fd, names, 1, target_fd, watch_memory, &watch,
                                   NULL) < 0)
                        watch.most = -1;
                (void)!write(pipe_fds[1], &watch.most, sizeof watch.most);
                _exit(0);
        }
        (void)close(pipe_fds[1]);
        assert_int_equal(read(pipe_fds[0], &most, sizeof most), sizeof most);
        (void)close(pipe_fds[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        return most;
}

/* Parts of all kinds: a module, plain bytes with many operations, packed ones. */
static void code_large(struct forge *forge, const uint8_t *old, const uint8_t *target)
{
        size_t plain = LARGE - MODULE - PACKED, n = 100000;
        const struct su_operation whole = {0, 0, MODULE};
        su_auto_free struct su_operation *operations = calloc(n, sizeof *operations);
        su_auto_module struct su_module module = {0};
        su_auto_bytes struct su_bytes packed = {0};
        struct forge_part parts[3] = {0};

        assert_non_null(operations);
        assert_true(su_module_open(old, MODULE, &module, NULL) >= 0);
        for (uint32_t i = 0; i < n; i++)
                operations[i] = (struct su_operation){i * 167, (uint32_t)MODULE + i * 160,
                                                      i + 1 < n ? 160 : 100};
        parts[0].part = (struct su_delta_part){
                .kind = SU_PART_MODULE, .size = MODULE, .source_size = MODULE};
        parts[0].coded = (struct su_part){.old = old,
                                          .old_size = MODULE,
                                          .module = &module,
                                          .size = MODULE,
                                          .want = target,
                                          .shape = &module.elf,
                                          .operations = &whole,
                                          .n_operations = 1};
        parts[1].part = (struct su_delta_part){.kind = SU_PART_PLAIN, .size = plain};
        parts[1].coded = (struct su_part){.old = old,
                                          .old_size = LARGE,
                                          .size = plain,
                                          .want = target + MODULE,
                                          .operations = operations,
                                          .n_operations = n};
        parts[2].part = (struct su_delta_part){.kind = SU_PART_PACKED, .size = PACKED};
        forge_code(forge, 3, parts, 3);
        assert_true(su_pack(target + MODULE + plain, PACKED, NULL, 0, 3, SU_DELTA_PACKED_WINDOW_LOG,
                            &packed, NULL) >= 0);
        forge_append(forge, packed.data, packed.size);
}

static void fill_target(uint8_t *target, const uint8_t *old)
{
        size_t plain = LARGE - MODULE - PACKED;

        memcpy(target, old, MODULE);
        for (size_t at = 0; at < MODULE; at += 8191)
                target[at + 4096] ^= 1;
        for (size_t at = 0; at + 160 < plain; at += 167)
                if (at / 167 < 100000)
                        memcpy(target + MODULE + at, old + MODULE + at / 167 * 160, 160);
        for (size_t at = MODULE + plain; at < LARGE; at += 64)
                fill_noise(target + at, 8, (uint32_t)at);
}

static void test_memory_of_apply(void **state)
{
        su_auto_close int old_fd = memory_file_of("", 0), new_fd = memory_file_of("", 0);
        su_auto_close int patch_fd = -EBADF;
        uint8_t *old = map_large(old_fd), *target = map_large(new_fd);
        struct forge forge;
        long most;

        (void)state;
        if (SANITIZED) {
                skip_because("a sanitizer has memory of its own");
                return;
        }
        fill_old(old);
        fill_target(target, old);
        forge_init(&forge, SU_DELTA_PACKED, target, LARGE);
        forge.fds[0] = fcntl(old_fd, F_DUPFD_CLOEXEC, 3);
        forge.sizes[0] = LARGE;
        forge.head.n_sources = 1;
        code_large(&forge, old, target);
        patch_fd = forge_seal(&forge);
        forge_done(&forge);
        (void)munmap(old, LARGE);
        (void)munmap(target, LARGE);
        most = measure_apply(patch_fd, old_fd);
        print_message("# %ld KiB for a patch of %zu bytes\n", most, size_of(patch_fd));
        assert_in_range(most, 1, RSS_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_memory_of_apply),
                cmocka_unit_test(test_round_trips),
                cmocka_unit_test(test_same_input_same_bytes),
                cmocka_unit_test(test_never_much_larger_than_zstd),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
