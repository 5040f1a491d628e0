#include "delta/make/modules.h"

#include <stdlib.h>

#include "delta/elf/bytes.h"
#include "delta/elf/elf.h"

#define PAGE 4096
#define WINDOW 16      /* bytes that a hash covers */
#define SAMPLE_MASK 63 /* one of so many hashes is kept */
#define SIMILAR_MIN 8  /* common hashes of 512 */

void su_found_modules_done(struct su_found_modules *modules)
{
        free(modules->items);
        *modules = (struct su_found_modules){0};
}

static int compare_hashes(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return x < y ? -1 : x > y;
}

static uint32_t hash_window(const uint8_t *data)
{
        uint64_t h = su_get64(data) * UINT64_C(0x9e3779b97f4a7c15) ^
                     su_get64(data + 8) * UINT64_C(0xc2b2ae3d27d4eb4f);

        return (uint32_t)((h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9) >> 32);
}

/* The lowest hashes of all windows: what two files share of them tells how much they share. */
static int sketch(const uint8_t *data, struct su_found_module *module, struct su_error *err)
{
        su_auto_free uint32_t *hashes = malloc((module->size / 8 + 64) * sizeof *hashes);
        size_t n = 0, kept = 0;

        if (!hashes)
                return su_fail_oom(err);
        for (uint64_t i = 0; i + WINDOW <= module->size && n < module->size / 8 + 64; i++) {
                uint32_t hash;

                if (su_get64(data + i) == 0)
                        continue;
                hash = hash_window(data + i);
                if ((hash & SAMPLE_MASK) == 0)
                        hashes[n++] = hash;
        }
        qsort(hashes, n, sizeof *hashes, compare_hashes);
        for (size_t i = 0; i < n && kept < SU_SKETCH; i++)
                if (kept == 0 || module->sketch[kept - 1] != hashes[i])
                        module->sketch[kept++] = hashes[i];
        module->n_sketch = kept;
        return 0;
}

static int add(struct su_found_modules *modules, const uint8_t *data, uint64_t offset,
               uint64_t size, size_t source, struct su_error *err)
{
        struct su_found_module *module;

        if (modules->n == modules->capacity) {
                size_t capacity = modules->capacity ? modules->capacity * 2 : 16;
                struct su_found_module *larger = realloc(modules->items, capacity * sizeof *larger);

                if (!larger)
                        return su_fail_oom(err);
                modules->items = larger;
                modules->capacity = capacity;
        }
        module = &modules->items[modules->n++];
        *module = (struct su_found_module){.offset = offset,
                                           .size = size,
                                           .source = source,
                                           .machine = su_get16(data + offset + 18)};
        return sketch(data + offset, module, err);
}

int su_modules_find(const uint8_t *data, uint64_t size, size_t source, struct su_found_modules *ret,
                    struct su_error *err)
{
        for (uint64_t at = 0; at + 64 <= size;) {
                uint64_t extent = su_elf_extent(data + at, size - at);
                int r;

                if (extent == 0) {
                        at += PAGE;
                        continue;
                }
                if (at == 0 && size - extent < PAGE)
                        extent = size; /* one file, with a little behind it */
                r = add(ret, data, at, extent, source, err);
                if (r < 0)
                        return r;
                at += (extent + PAGE - 1) / PAGE * PAGE;
        }
        return 0;
}

static size_t count_common(const struct su_found_module *a, const struct su_found_module *b)
{
        size_t n = 0;

        for (size_t i = 0, j = 0; i < a->n_sketch && j < b->n_sketch;) {
                n += a->sketch[i] == b->sketch[j];
                if (a->sketch[i] <= b->sketch[j])
                        i++;
                else
                        j++;
        }
        return n;
}

const struct su_found_module *su_modules_match(const struct su_found_modules *old,
                                               const struct su_found_module *new)
{
        const struct su_found_module *best = NULL;
        size_t best_common = 0;

        for (size_t i = 0; i < old->n; i++) {
                size_t common;

                if (old->items[i].machine != new->machine)
                        continue;
                common = count_common(&old->items[i], new);
                if (!best || common > best_common) {
                        best = &old->items[i];
                        best_common = common;
                }
        }
        return best && (old->n == 1 || best_common >= SIMILAR_MIN) ? best : NULL;
}
