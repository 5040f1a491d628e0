/* What of a fixed tree differs from the baseline, laid out in a staging directory as an image's
 * root. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "improvement/baseline.h"
#include "improvement/manifest.h"

struct su_content_counts {
        size_t changed;
        size_t added;
        size_t links;         /* symbolic links in the image */
        size_t gone;          /* libraries whose place one of another file name took */
        size_t unchanged;     /* same bytes as in the baseline */
        size_t documentation; /* left out: nothing runs it */
        size_t outside;       /* left out: not below /usr */
        size_t others;        /* left out: of other components */
        bool special;         /* something has an owner other than root, or attributes */
};

/* Where it comes from. */
struct su_content_source {
        int tree_fd;             /* the baseline's tree */
        int fixed_fd;            /* the fixed one */
        bool from_packages;      /* which is what packages hold, unpacked */
        const char *const *only; /* patterns, as glob(7), '*' matching slashes: of what belongs to
                                    the component */
        size_t n_only;           /* 0: everything does */
};

/* Copy what differs to `staging_fd` and list it in the component's files. Directories, whose merged
 * view they will shape, and files that the baseline has keep its owner, capabilities and other
 * attributes. CONFLICT for what an image cannot carry: devices, sockets, another kind of entry than
 * the baseline's; and for what only root could stage. */
int su_content_stage(const struct su_baseline *baseline, const struct su_content_source *source,
                     int staging_fd, struct su_component *component,
                     struct su_content_counts *ret_counts, struct su_error *err);
