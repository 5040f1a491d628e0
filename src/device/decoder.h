/* The decoder, in a worker: it has the delta, its sources and the new image, and nothing else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct su_decoder {
        int patch_fd;
        const int *source_fds;
        const char *const *source_names; /* for messages */
        size_t n_sources;
        int image_fd;
        uint64_t image_size; /* what was promised: nothing behind it is written */
        bool (*progress)(void *userdata, uint64_t done, uint64_t total); /* may be NULL */
        void *userdata;
};

/* The decoder's own errors (delta/apply/apply.h), or WORKER when it was ended. What it wrote is to
 * be verified: it may have been taken over. */
int su_decoder_run(const struct su_decoder *decoder, struct su_error *err);
