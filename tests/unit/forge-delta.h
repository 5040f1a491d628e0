/* Deltas that no encoder makes: parts and operations as they are told, heads that fit. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "delta/apply/header.h"
#include "delta/codec/codec.h"

#define FORGE_SOURCES_MAX 4

struct forge_part {
        struct su_delta_part part;
        /* What is coded behind it; a part without `want` and without operations is left out. */
        struct su_part coded;
};

struct forge {
        struct su_delta_header head; /* sizes and digests are filled in when it is sealed */
        uint64_t sizes[FORGE_SOURCES_MAX];
        uint8_t names[FORGE_SOURCES_MAX][SU_DELTA_NAME_CHECK_SIZE];
        int fds[FORGE_SOURCES_MAX];
        const uint8_t *target;
        uint8_t *body;
        size_t body_size;
};

void forge_init(struct forge *forge, enum su_delta_method method, const uint8_t *target,
                size_t target_size);
void forge_add_source(struct forge *forge, const void *data, size_t size);
void forge_append(struct forge *forge, const void *data, size_t size);
/* The coded bytes of parts, of which `n_told` are said to follow. They may be wrong: then what
 * comes behind the fault is left out. */
void forge_code(struct forge *forge, uint64_t n_told, const struct forge_part *parts, size_t n);
/* The whole file, whose head fits the sources and the target. */
int forge_seal(struct forge *forge);
void forge_done(struct forge *forge);
