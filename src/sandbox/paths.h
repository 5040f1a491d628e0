/* Which files a worker may open: Landlock, where the kernel has it. */
#pragma once

#include "base/error.h"
#include "sandbox/worker.h"

/* Nothing may be opened by its path; a worker that fetches reads what names and certificates are
 * looked up in. Nobody outside can be signalled. Without Landlock the rest of the confinement
 * stands: 0 as well. */
int su_paths_confine(enum su_worker_kind kind, struct su_error *err);
