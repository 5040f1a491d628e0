/* The sources, side by side in one range of memory. They are mapped, not read: what is asked of a
 * device does not grow with them. A file that is cut while it is mapped would end the process; the
 * files of a base are replaced, never cut. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

struct su_space {
        uint8_t *data;
        uint64_t size;
        uint64_t *offsets, *sizes; /* of each source */
        size_t n;
};

/* TOO_LARGE beyond the limits of the format. */
int su_space_map(const int *fds, const char *const *names, size_t n, struct su_space *ret,
                 struct su_error *err);
void su_space_done(struct su_space *space);
#define su_auto_space su_auto(su_space_done)
