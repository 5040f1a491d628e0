/* The old files that were named: each as it is, a directory as all regular files below it, in byte
 * order of their paths. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/own.h"

struct su_sources {
        int *fds;
        char **names;
        size_t n, capacity;
};

int su_sources_open(char *const *paths, size_t n, struct su_sources *ret, struct su_error *err);
void su_sources_done(struct su_sources *sources);
#define su_auto_sources su_auto(su_sources_done)
