#include "sandbox/job.h"

#include "base/clock.h"

#define LOOK_EVERY_MS 200
#define TELL_EVERY_US 20000

struct teller {
        int channel_fd;
        uint64_t told_us;
        struct su_error failure; /* to tell it */
};

/* When it cannot be told, nobody waits for the work either. */
static bool tell(void *userdata, uint64_t done, uint64_t total)
{
        struct teller *teller = userdata;
        uint64_t now = su_monotonic_us();

        if (now < teller->told_us + TELL_EVERY_US && done < total)
                return false;
        teller->told_us = now;
        return su_message_send_progress(teller->channel_fd, done, total, &teller->failure) < 0;
}

static void work(int channel_fd, void *userdata)
{
        const struct su_job *job = userdata;
        struct teller teller = {.channel_fd = channel_fd};
        struct su_error error = {0};

        if (job->work(job->userdata, tell, &teller, &error) < 0)
                (void)su_message_send_error(
                        channel_fd, teller.failure.code != SU_OK ? &teller.failure : &error, NULL);
        else
                (void)su_message_send(channel_fd, SU_MESSAGE_DONE, NULL, 0, NULL);
}

struct watch {
        const struct su_job *job;
        struct su_worker *worker;
        uint64_t give_up_us;
        uint64_t done;
        uint64_t total;
};

/* Asked also when nothing came: a worker that is silent is no reason to wait for it. */
static int look(const struct watch *watch, struct su_error *err)
{
        const struct su_job *job = watch->job;

        if (su_monotonic_us() >= watch->give_up_us)
                return su_fail(err, SU_ERROR_WORKER, "the %s did not end within %u s",
                               job->worker.name, job->time_max_s);
        if (job->progress && job->progress(job->listener, watch->done, watch->total))
                return su_fail(err, SU_ERROR_CANCELLED, "cancelled");
        return 0;
}

/* 1: it is done. */
static int step(struct watch *watch, struct su_error *err)
{
        struct su_message message;
        int r;

        r = su_worker_wait(watch->worker, LOOK_EVERY_MS, &message, err);
        if (r <= 0)
                return r < 0 ? r : look(watch, err);
        if (message.kind == SU_MESSAGE_DONE && message.size == 0)
                return 1;
        r = su_message_get_progress(&message, &watch->done, &watch->total, err);
        return r < 0 ? r : look(watch, err);
}

int su_job_run(const struct su_job *job, struct su_error *err)
{
        su_auto_worker struct su_worker *worker = NULL;
        struct watch watch = {.job = job};
        struct su_job theirs = *job;
        int r;

        watch.give_up_us = su_monotonic_us() + job->time_max_s * UINT64_C(1000000);
        r = su_worker_start(&job->worker, work, &theirs, &worker, err);
        watch.worker = worker;
        while (r == 0)
                r = step(&watch, err);
        return r < 0 ? r : 0;
}
