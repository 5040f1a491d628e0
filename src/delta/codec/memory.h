/* Where targets went that the projection did not foretell. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

#define SU_MEMORY_MAX (1U << 18) /* entries; what comes later is not remembered */

struct su_memory_entry {
        uint64_t key; /* 0: free */
        uint64_t value;
};

struct su_memory {
        struct su_memory_entry *entries;
        uint32_t mask;
        uint32_t n;
};

int su_memory_init(struct su_memory *memory, struct su_error *err);
void su_memory_done(struct su_memory *memory);
#define su_auto_memory su_auto(su_memory_done)

/* NULL: nothing is known. Keys are not 0. */
const uint64_t *su_memory_get(const struct su_memory *memory, uint64_t key);
int su_memory_put(struct su_memory *memory, uint64_t key, uint64_t value, struct su_error *err);
