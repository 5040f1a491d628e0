/* Give up, for good, all that a worker does not need. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "sandbox/account.h"
#include "sandbox/worker.h"

/* In the worker's own process, which `parent` has started; without root's privilege the user stays
 * who he is. Of the descriptors, only the options' and `channel_fd` are left. */
int su_confine(const struct su_worker_options *options, const struct su_account *account,
               int channel_fd, pid_t parent, struct su_error *err);
