#include "device/task.h"

#include "base/clock.h"

bool su_task_tell(struct su_task *task, uint64_t done, uint64_t total)
{
        const struct su_change_options *options = task->options;

        if (options->listener && options->listener(options->userdata, task->step, done, total))
                task->cancelled = true;
        return task->cancelled && !task->swapping;
}

int su_task_tell_download(void *userdata, uint64_t done, struct su_error *err)
{
        struct su_task *task = userdata;

        /* That nothing has come yet is told as a beginning already. */
        if (su_task_tell(task, done > 0 ? done : 1, done > 0 ? task->expected : 0))
                return su_fail(err, SU_ERROR_CANCELLED, "cancelled");
        return 0;
}

bool su_task_tell_rebuild(void *userdata, uint64_t done, uint64_t total)
{
        return su_task_tell(userdata, done > 0 ? done : 1, total);
}

void su_task_end_step(struct su_task *task)
{
        struct su_change *change = task->change;

        if (change->n_steps > 0)
                change->steps[change->n_steps - 1].us = su_monotonic_us() - task->step_began;
}

void su_task_begin_step(struct su_task *task, const char *name)
{
        struct su_change *change = task->change;

        su_task_end_step(task);
        if (change->n_steps < SU_STEPS_MAX)
                change->steps[change->n_steps++] =
                        (struct su_step){.name = name, .at_us = su_now_us()};
        task->step_began = su_monotonic_us();
        task->step = name;
        task->expected = 0;
        (void)su_task_tell(task, 0, 0);
}

int su_task_check_cancelled(const struct su_task *task, struct su_error *err)
{
        return task->cancelled ? su_fail(err, SU_ERROR_CANCELLED,
                                         "cancelled: what is on /usr stays as it is")
                               : 0;
}
