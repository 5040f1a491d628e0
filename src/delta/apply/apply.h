/* Decode a delta: old files and a patch in, the new image out.
 *
 * Every byte of the patch is treated as hostile even though its digest was checked before: every
 * count is bounded before memory is asked for, each source's digest is compared before it is used,
 * and the target's size and SHA-256 before success is reported. Sources and patch are mapped. What
 * is asked of memory besides is below 32 MiB for the deltas of real updates, most of it the model's
 * table; a frame of zstd (SU_DELTA_ZSTD) may ask for its window. The target is written in order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "delta/apply/header.h"
#include "delta/codec/coder.h"

/* The head of the patch. DELTA when it is malformed or asks for more than the limits allow. */
int su_delta_header_read(int patch_fd, struct su_delta_header *ret, struct su_error *err);

/* Told now and then how far the work is; true asks it to stop (CANCELLED). May be NULL. */
typedef bool (*su_delta_progress)(void *userdata, uint64_t done, uint64_t total);

/* Where the bytes of a patch go, when it is told in parts. */
struct su_delta_account {
        size_t parts[SU_PART_KINDS];
        uint64_t head, packed;                 /* bytes of the patch */
        uint64_t costs[SU_STREAMS][SU_PLACES]; /* 1/256 bit; places are enum su_elf_role */
        uint64_t decisions;
};

/* Write the target to `target_fd`, in order, from its current position. `source_names` are for
 * messages. BASELINE when a source is not the expected one, DELTA when the patch is damaged, SPACE
 * when the disk is full. On failure the target's content is undefined. */
int su_delta_apply(int patch_fd, const int *source_fds, const char *const *source_names,
                   size_t n_sources, int target_fd, su_delta_progress progress, void *userdata,
                   struct su_error *err);
/* The same, writing nothing: for the account alone. */
int su_delta_inspect(int patch_fd, const int *source_fds, const char *const *source_names,
                     size_t n_sources, struct su_delta_account *ret, struct su_error *err);
