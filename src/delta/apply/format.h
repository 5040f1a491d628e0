/* The delta file: docs/FORMATS.md, "Delta". Shared by the decoder and the encoder. */
#pragma once

#include <stdint.h>

#define SU_DELTA_MAGIC "SUTDELTA"
#define SU_DELTA_MAGIC_SIZE 8
#define SU_DELTA_VERSION 1

/* The body is one zstd frame with the concatenated sources as its prefix. */
#define SU_DELTA_METHOD_ZSTD_PREFIX 1

/* The limits that a decoder enforces before it asks for memory. */
#define SU_DELTA_SOURCES_MAX 4096
#define SU_DELTA_SOURCE_BYTES_MAX (UINT64_C(1) << 30)
#define SU_DELTA_TARGET_BYTES_MAX (UINT64_C(1) << 31)

/* The zstd window that reaches from the last byte of the target to the first of the sources. */
static inline int su_delta_window_log(uint64_t bytes)
{
        int log = 10;

        while (log < 31 && (UINT64_C(1) << log) < bytes)
                log++;
        return log;
}
