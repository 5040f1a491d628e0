/* Do something in a private mount namespace and bring one descriptor back.
 *
 * A forked child unshares, makes every mount private, runs `work` and sends the descriptor over a
 * socket. What it mounted for itself vanishes with it; what the descriptor refers to stays.
 */
#pragma once

#include "base/error.h"

typedef int (*su_namespace_work)(void *userdata, int *ret_fd, struct su_error *err);

int su_namespace_run(su_namespace_work work, void *userdata, int *ret_fd, struct su_error *err);
