/* Do jobs, each in a process of its own, which can be ended at any time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "publish/draft/job.h"

struct su_job_end {
        size_t index; /* in the list */
        bool was_there;
        bool is_failed; /* `why` says so */
        struct su_error why;
        double seconds; /* from its start to its end */
};

typedef void (*su_job_ended)(void *userdata, const struct su_job_end *end);

/* At most `parallel` at a time. One that fails does not stop the others when `ended` is told (it
 * may be NULL): then it is told of each, and the error is the last one's. CANCELLED as soon as the
 * program is interrupted. */
int su_jobs_run(const struct su_job_list *jobs, int store_fd, size_t parallel, su_job_ended ended,
                void *userdata, struct su_error *err);
