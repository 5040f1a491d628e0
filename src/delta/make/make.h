/* Encode a delta: the publisher's half. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* Grows when the encoder finds better deltas than before: results that were kept are made anew. */
#define SU_DELTA_ENGINE 1

enum su_delta_effort {
        SU_DELTA_BEST, /* as small as can be; half a minute for a large library */
        SU_DELTA_FAST, /* larger, in a tenth of the time: to try something out */
};

/* Write the delta that makes `target_fd`'s bytes out of the sources', in their order, to `patch_fd`
 * (empty, read and write). Deterministic for one version of libzstd. The result is decoded again
 * and compared before success is reported. TOO_LARGE when the format's limits are exceeded. */
int su_delta_make(const int *source_fds, const char *const *source_names, size_t n_sources,
                  int target_fd, int patch_fd, enum su_delta_effort effort, struct su_error *err);
