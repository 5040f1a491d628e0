/* Remove from the store what nobody needs any more. What is kept, docs/FORMATS.md says; when it
 * cannot be told what is needed, because a document is damaged, more is kept. A kill at any point
 * leaves a store that is right, and so does calling this never. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "device/state.h"

struct su_collected {
        uint64_t files;
        uint64_t bytes; /* of the disk; less is free for now if a running program uses an image */
};

/* The caller holds the lock, and no rebuild is on its way. `mounted` is the generation on /usr, 0
 * for none. `ret` is written in any case: what goes wrong with one file is no reason to keep the
 * others, and the first such failure is returned at the end. */
int su_collect_garbage(int state_fd, const struct su_state *state, int64_t mounted,
                       const char *baseline, struct su_collected *ret, struct su_error *err);
