/* Do one job. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "publish/draft/job.h"

/* Its result is in the store then; `ret_was_there`: it was before, and is right. What is there and
 * wrong is replaced. BASELINE when a source is not the file that was planned with. */
int su_job_make(const struct su_job *job, int store_fd, bool *ret_was_there, struct su_error *err);
