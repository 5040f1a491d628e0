/* Which system calls a worker may make: seccomp, by libseccomp. */
#pragma once

#include "base/error.h"
#include "sandbox/worker.h"

/* Anything else ends it, but for what libraries ask and can do without: that fails. UNSUPPORTED
 * where the kernel has no filters: no worker runs without. */
int su_filter_load(enum su_worker_kind kind, struct su_error *err);
