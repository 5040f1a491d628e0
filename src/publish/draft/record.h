/* The record of an OS tree: everything that an improvement could replace. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "improvement/baseline.h"

/* `ret_n_strange` counts the files whose names no manifest can carry: they are left out. */
int su_baseline_record(int root_fd, struct su_baseline *ret, size_t *ret_n_strange,
                       struct su_error *err);
