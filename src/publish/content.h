/* What of a fixed tree differs from the baseline, laid out in a staging directory as an image's
 * root. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "improvement/baseline.h"
#include "improvement/manifest.h"

struct su_content_counts {
        size_t changed;
        size_t added;
        size_t links;         /* symbolic links in the image */
        size_t unchanged;     /* same bytes as in the baseline */
        size_t documentation; /* left out: nothing runs it */
        size_t outside;       /* left out: not below /usr */
};

/* Copy what differs to `staging_fd` and list it in the component's files. Directories get the modes
 * that they have in the baseline's tree, whose merged view they will shape. CONFLICT for what an
 * image cannot carry: devices, sockets, files that are not root's where ownership matters (setuid,
 * setgid). */
int su_content_stage(const struct su_baseline *baseline, int tree_fd, int fixed_fd, int staging_fd,
                     struct su_component *component, struct su_content_counts *ret_counts,
                     struct su_error *err);
