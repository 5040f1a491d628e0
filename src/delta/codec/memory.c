#include "delta/codec/memory.h"

#include <stdlib.h>

#define SIZE_FIRST 1024

int su_memory_init(struct su_memory *memory, struct su_error *err)
{
        *memory = (struct su_memory){.mask = SIZE_FIRST - 1};
        memory->entries = calloc(SIZE_FIRST, sizeof *memory->entries);
        return memory->entries ? 0 : su_fail_oom(err);
}

void su_memory_done(struct su_memory *memory)
{
        free(memory->entries);
        *memory = (struct su_memory){0};
}

/* The entry of the key, or the free one where it belongs. At most half are taken. */
static struct su_memory_entry *find(const struct su_memory *memory, uint64_t key)
{
        uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
        uint32_t at = (uint32_t)(hash >> 32) & memory->mask;

        while (memory->entries[at].key != 0 && memory->entries[at].key != key)
                at = (at + 1) & memory->mask;
        return &memory->entries[at];
}

const uint64_t *su_memory_get(const struct su_memory *memory, uint64_t key)
{
        const struct su_memory_entry *entry;

        if (memory->n == 0)
                return NULL;
        entry = find(memory, key);
        return entry->key ? &entry->value : NULL;
}

static int grow(struct su_memory *memory, struct su_error *err)
{
        struct su_memory larger = {.mask = memory->mask * 2 + 1, .n = memory->n};

        larger.entries = calloc((size_t)larger.mask + 1, sizeof *larger.entries);
        if (!larger.entries)
                return su_fail_oom(err);
        for (size_t i = 0; i <= memory->mask; i++)
                if (memory->entries[i].key)
                        *find(&larger, memory->entries[i].key) = memory->entries[i];
        free(memory->entries);
        *memory = larger;
        return 0;
}

int su_memory_put(struct su_memory *memory, uint64_t key, uint64_t value, struct su_error *err)
{
        struct su_memory_entry *entry = find(memory, key);

        if (entry->key) {
                entry->value = value;
                return 0;
        }
        if (memory->n == SU_MEMORY_MAX)
                return 0;
        *entry = (struct su_memory_entry){key, value};
        memory->n++;
        return memory->n * 2 > memory->mask ? grow(memory, err) : 0;
}
