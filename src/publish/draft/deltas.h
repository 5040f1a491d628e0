/* The deltas of a component: from the baseline's files, from its earlier images, from nothing. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "publish/store/workspace.h"

struct su_delta_work {
        const struct su_workspace *workspace;
        const char *baseline;
        int tree_fd;    /* the baseline's files */
        int scratch_fd; /* where the deltas are put, below objects/ */
        int image_fd;
        bool fast;
        struct su_component *component; /* gets them */
};

/* A delta from an earlier image is kept only when it is smaller than what a device can have without
 * that image. CANCELLED when the program was interrupted. */
int su_deltas_make(const struct su_delta_work *work, struct su_error *err);

/* Move them to the draft's objects. */
int su_deltas_keep(int scratch_fd, int draft_fd, const struct su_component *component,
                   struct su_error *err);
