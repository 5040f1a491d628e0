/* One task in a worker of its own, from its start to its end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sandbox/worker.h"

/* Told how far it is; true asks to stop. */
typedef bool (*su_job_progress)(void *userdata, uint64_t done, uint64_t total);

struct su_job {
        struct su_worker_options worker;
        unsigned time_max_s;
        /* In the worker: it tells how far it is by `progress`, which never asks to stop. */
        int (*work)(void *userdata, su_job_progress progress, void *teller, struct su_error *err);
        void *userdata;
        su_job_progress progress; /* of who waits for it; may be NULL */
        void *listener;
};

/* 0 when the work said so; what it says of a failure is as good as itself. CANCELLED when
 * `progress` asked to stop, WORKER when the worker was ended by a limit, a signal or a system call
 * that it may not make, or took too long. It is no more when this returns. */
int su_job_run(const struct su_job *job, struct su_error *err);
