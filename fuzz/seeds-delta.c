/* Write the seeds of fuzz-delta and fuzz-elf, which take an encoder to make:
 *
 *     ninja -C build fuzz/seeds-delta fuzz/seeds-delta-plain
 *     build/fuzz/seeds-delta fuzz/corpus
 *     build/fuzz/seeds-delta-plain fuzz/corpus
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta/make/parts_make.h"
#include "fuzz-delta.h"

struct target {
        uint8_t data[FUZZ_DELTA_TARGET_MAX + 8];
        size_t size;
};

static void add(struct target *target, const void *data, size_t size)
{
        fuzz_check(size < FUZZ_DELTA_TARGET_MAX - target->size);
        memcpy(target->data + target->size, data, size);
        target->size += size;
}

static void add_module(struct target *target, struct sample_elf sample)
{
        sample_elf_make(&sample);
        if (target->size > 0) /* modules are looked for at pages */
                target->size = (target->size + 4095) / 4096 * 4096;
        add(target, sample.data, sample.size);
        free(sample.data);
}

/* So much that is new that it is packed. */
static void add_much(struct target *target)
{
        char line[16];

        for (unsigned i = 0; i < 2200; i++) {
                (void)snprintf(line, sizeof line, "much news, %04u", i % 64);
                add(target, line, 15);
        }
}

static void save(const char *corpus, const char *target, const char *name, const void *data,
                 size_t size)
{
        char path[4096];
        FILE *file;

        (void)snprintf(path, sizeof path, "%s/%s/seed-%s", corpus, target, name);
        file = fopen(path, "wb");
        if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
                (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
                exit(1);
        }
}

static void save_body(const char *corpus, const char *name, unsigned set,
                      enum su_delta_method method, const struct target *target,
                      const struct su_bytes *body)
{
        su_auto_bytes struct su_bytes all = {0};
        unsigned size = fuzz_delta_head(target->size);
        const uint8_t head[FUZZ_DELTA_HEAD] = {(uint8_t)(method | set << 2), (uint8_t)size,
                                               (uint8_t)(size >> 8)};

        fuzz_check(fuzz_delta_size(size) == target->size);
        fuzz_check(su_bytes_add(&all, head, sizeof head, NULL) >= 0);
        fuzz_check(su_bytes_add(&all, body->data, body->size, NULL) >= 0);
        save(corpus, TARGET, name, all.data, all.size);
}

static void seed(const char *corpus, const char *name, unsigned set, enum su_delta_method method,
                 const struct target *target)
{
        struct fuzz_delta_sources sources;
        su_auto_bytes struct su_bytes body = {0};
        struct su_error err = {0};
        int r;

        fuzz_delta_sources_make(set, &sources);
        if (method == SU_DELTA_STORED)
                r = su_bytes_add(&body, target->data, target->size, &err);
        else if (method == SU_DELTA_ZSTD)
                r = su_pack(target->data, target->size, sources.space.data, sources.space.size, 19,
                            su_delta_window_log(sources.space.size + target->size), &body, &err);
        else
                r = su_parts_make(&sources.space, target->data, target->size, &method, &body, &err);
        if (r < 0) {
                (void)fprintf(stderr, "%s: %s\n", name, err.message);
                exit(1);
        }
        save_body(corpus, name, set, method, target, &body);
        free(sources.space.data);
}

static void seed_modules(const char *corpus, uint16_t machine, const char *prefix)
{
        for (unsigned version = 0; version < 7; version++) {
                struct target target = {0};
                char name[64];

                (void)snprintf(name, sizeof name, "%s-%u", prefix, version);
                add_module(&target, (struct sample_elf){.machine = machine,
                                                        .functions = version < 4 ? 8 : 5,
                                                        .version = version % 4,
                                                        .fixed = version == 3,
                                                        .bare = version >= 5});
                seed(corpus, name, machine == EM_X86_64 ? 2 : 3, SU_DELTA_PARTS, &target);
                save(corpus, "elf", name, target.data, target.size);
        }
}

static void seed_mixed(const char *corpus)
{
        struct target all = {0}, packed = {0};

        add_module(&all, (struct sample_elf){.machine = EM_X86_64, .functions = 8, .version = 1});
        add_module(&all, (struct sample_elf){.machine = EM_AARCH64, .functions = 8, .version = 1});
        add(&all, "0123456789abcdefghijklmnopqrstuvwxyz and a fix", 46);
        seed(corpus, "all", 4, SU_DELTA_PARTS, &all);
        add(&packed, "0123456789abcdefghijklmnopqrstuvwxyz", 36);
        add_much(&packed);
        add(&packed, "The quick brown fox jumps over the lazy cat", 43);
        seed(corpus, "packed", 1, SU_DELTA_PARTS, &packed);
}

static void seed_plain(const char *corpus)
{
        struct target text = {0}, empty = {0};

        add(&text, "The quick brown fox jumps over the lazy cat, again and again.\n0123456789", 72);
        seed(corpus, "stored", 0, SU_DELTA_STORED, &text);
        seed(corpus, "zstd", 1, SU_DELTA_ZSTD, &text);
        seed(corpus, "zstd-alone", 0, SU_DELTA_ZSTD, &text);
        seed(corpus, "plain", 1, SU_DELTA_PARTS, &text);
        seed(corpus, "empty", 0, SU_DELTA_PARTS, &empty);
}

int main(int argc, char **argv)
{
        if (argc != 2) {
                (void)fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
                return 2;
        }
        seed_plain(argv[1]);
        seed_modules(argv[1], EM_X86_64, "x86");
        seed_modules(argv[1], EM_AARCH64, "a64");
        seed_mixed(argv[1]);
        return 0;
}

/* fuzz.c is written for targets. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        (void)data;
        (void)size;
        return 0;
}
