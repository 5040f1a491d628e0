/* Decode a delta: old files and a patch in, the new image out.
 *
 * The patch, the sources and the target are descriptors. The patch is treated as hostile even
 * though its digest was checked before: every count is bounded before memory is asked for, each
 * source's size and SHA-256 is compared with the patch's own list over the very bytes that are then
 * used, and the target's size and SHA-256 before success is reported.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "crypto/sha256.h"

struct su_delta_module {
        uint64_t size;
        struct su_sha256 sha256;
};

struct su_delta_header {
        unsigned method;
        struct su_delta_module target;
        struct su_delta_module *sources;
        size_t n_sources;
        uint64_t source_bytes; /* the sum over the sources */
        uint64_t body_offset;  /* where the coded body begins in the patch */
};

/* DELTA when the head is malformed or asks for more than the limits allow. */
int su_delta_header_read(int patch_fd, struct su_delta_header *ret, struct su_error *err);
void su_delta_header_done(struct su_delta_header *header);
#define su_auto_delta_header su_auto(su_delta_header_done)

/* Told now and then how far the work is; true asks it to stop (CANCELLED). May be NULL. */
typedef bool (*su_delta_progress)(void *userdata, uint64_t done, uint64_t total);

/* Write the target to `target_fd`, in order, from its current position. `source_names` are for
 * messages. BASELINE when a source is not the expected one, DELTA when the patch is damaged, SPACE
 * when the disk is full. On failure the target's content is undefined. */
int su_delta_apply(int patch_fd, const int *source_fds, const char *const *source_names,
                   size_t n_sources, int target_fd, su_delta_progress progress, void *userdata,
                   struct su_error *err);
