/* One change on its way: its steps, what is told of them, and whether it may go on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "device/change.h"

/* One change on its way. */
struct su_task {
        struct su_engine *engine;
        const struct su_change_options *options;
        struct su_change *change;
        uint64_t step_began;
        const char *step;
        uint64_t expected;          /* bytes of the present download, 0: unknown */
        bool download_only;         /* by the options, or because no more may be done by itself */
        unsigned waits_to_download; /* conditions, when nobody asked for the change */
        unsigned waits_to_install;
        bool begun;     /* there is something to change: from here on the history tells of it */
        bool cancelled; /* the listener asked to stop */
        bool swapping;  /* it is too late for that */
};

void su_task_begin_step(struct su_task *task, const char *name);
void su_task_end_step(struct su_task *task);
/* The listeners of a download and of a rebuild; `userdata` is the task. */
int su_task_tell_download(void *userdata, uint64_t done, struct su_error *err);
bool su_task_tell_rebuild(void *userdata, uint64_t done, uint64_t total);
/* True when the work is to stop. */
bool su_task_tell(struct su_task *task, uint64_t done, uint64_t total);
/* CANCELLED when the listener asked to stop. */
int su_task_check_cancelled(const struct su_task *task, struct su_error *err);
