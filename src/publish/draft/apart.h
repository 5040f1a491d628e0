/* A delta made in a process of its own, which can be ended at any time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* As su_delta_make(), but CANCELLED as soon as the program is interrupted. */
int su_delta_make_apart(const int *source_fds, const char *const *source_names, size_t n_sources,
                        int target_fd, int patch_fd, bool fast, struct su_error *err);
