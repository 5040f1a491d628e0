/* Which ELF files a target holds, and which of the sources' each is the successor of. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "delta/apply/space.h"

#define SU_SKETCH 512

struct su_found_module {
        uint64_t offset, size; /* in the target, or in its source */
        size_t source;
        uint16_t machine;
        uint32_t sketch[SU_SKETCH]; /* the lowest hashes of its content, sorted */
        size_t n_sketch;
};

struct su_found_modules {
        struct su_found_module *items;
        size_t n, capacity;
};

void su_found_modules_done(struct su_found_modules *modules);
#define su_auto_found_modules su_auto(su_found_modules_done)

/* Files begin at `data` and at pages: as in an image whose files are not packed. Appends. */
int su_modules_find(const uint8_t *data, uint64_t size, size_t source, struct su_found_modules *ret,
                    struct su_error *err);
/* The most similar one, or NULL: none is. */
const struct su_found_module *su_modules_match(const struct su_found_modules *old,
                                               const struct su_found_module *new);
