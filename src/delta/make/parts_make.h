/* Within this room: a target as a row of parts, each coded as suits it. */
#pragma once

#include "base/error.h"
#include "delta/apply/format.h"
#include "delta/apply/space.h"

struct su_bytes {
        uint8_t *data;
        size_t size, capacity;
};

void su_bytes_done(struct su_bytes *bytes);
#define su_auto_bytes su_auto(su_bytes_done)
int su_bytes_add(struct su_bytes *bytes, const void *data, size_t size, struct su_error *err);

/* The body of SU_DELTA_PARTS, or of SU_DELTA_PACKED. `target` has eight readable bytes behind it.
 */
int su_parts_make(const struct su_space *space, const uint8_t *target, uint64_t target_size,
                  enum su_delta_method *ret_method, struct su_bytes *ret, struct su_error *err);

/* A zstd frame without its magic. `window_log` 0: what the level says. */
int su_pack(const uint8_t *data, size_t size, const uint8_t *prefix, size_t prefix_size, int level,
            int window_log, struct su_bytes *ret, struct su_error *err);
