/* The delta file: docs/FORMATS.md, "Delta". Shared by the decoder and the encoder. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "delta/codec/model.h"

#define SU_DELTA_MAGIC "SUD2" /* its last letter is the version */
#define SU_DELTA_MAGIC_SIZE 4
#define SU_DELTA_SOURCE_CHECK_SIZE                                                                 \
        8 /* first bytes of a SHA-256: tells files apart; what is made of                          \
             them has a whole one */
#define SU_DELTA_NAME_CHECK_SIZE 4

enum su_delta_method {
        SU_DELTA_STORED, /* the target as it is */
        SU_DELTA_ZSTD,   /* one zstd frame without its magic, the source space as its prefix */
        SU_DELTA_PARTS,  /* parts, each told as suits it */
        SU_DELTA_PACKED, /* the same, with a zstd frame of what is better packed than told */
        SU_DELTA_METHODS
};

/* The limits that a decoder enforces before it asks for memory. */
#define SU_DELTA_SOURCES_MAX 4096
#define SU_DELTA_SOURCE_BYTES_MAX (UINT64_C(1) << 30)
#define SU_DELTA_TARGET_BYTES_MAX (UINT64_C(1) << 31)
#define SU_DELTA_PARTS_MAX 65536
#define SU_DELTA_PACKED_WINDOW_LOG 22

/* Sources lie one behind the other, each at a multiple of this, zeros between. */
#define SU_DELTA_SPACE_ALIGNMENT 65536

/* The zstd window that reaches from the last byte of the target to the first of the sources. */
static inline int su_delta_window_log(uint64_t bytes)
{
        int log = 10;

        while (log < 31 && (UINT64_C(1) << log) < bytes)
                log++;
        return log;
}

enum su_delta_part_kind {
        SU_PART_PLAIN,  /* copies from all of the source space */
        SU_PART_MODULE, /* from one ELF file, as a module */
        SU_PART_PACKED, /* bytes of the zstd frame behind the coded ones */
        SU_PART_KINDS
};

struct su_delta_part {
        enum su_delta_part_kind kind;
        uint64_t size;
        /* Of the module that it is made from: which source, where in it, how large. */
        uint64_t source, source_offset, source_size;
};

/* Code one in either direction. What a decoder gets is to be checked. */
void su_delta_part_code(struct su_model *model, struct su_delta_part *part, uint64_t left,
                        const uint64_t *source_sizes, size_t n_sources, uint64_t next_source);
uint64_t su_delta_parts_code(struct su_model *model, uint64_t n_parts);
