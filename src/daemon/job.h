/* A job: one change, from the call that asks for it to its end; an object on the bus, with its
 * progress. It stays there for a while, for those who ask for its result. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/error.h"
#include "base/text.h"
#include "daemon/run.h"

#define SU_JOB_ARGUMENTS_MAX 10
#define SU_JOB_ARGUMENT_SIZE 64

/* What is to be done: a verb of suture(8), and its options. */
struct su_order {
        const char *kind;   /* "check", "install", "remove", "restart", "watch", "update" */
        const char *action; /* polkit's, for who wants it done, or cancelled */
        char arguments[SU_JOB_ARGUMENTS_MAX][SU_JOB_ARGUMENT_SIZE]; /* "" at the end */
        char language[SU_LANGUAGE_SIZE];                            /* "": English */
};

/* USAGE when there are too many, or one is too long. */
int su_order_add(struct su_order *order, struct su_error *err, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

struct su_job {
        uint32_t id;
        struct su_order order;
        char *path;
        const char *state; /* "running", "done", "failed" */
        char *step;
        uint64_t done;
        uint64_t total;   /* 0: nobody knows */
        uint64_t told_us; /* when that was told last */
        /* at the end */
        char *error; /* a name of base/error.h; "": it did not fail */
        char *message;
        char *result; /* what `suture --json` prints */
        char *report; /* what `suture` prints for people */
        json_t *document;

        sd_bus *bus;
        sd_bus_slot *slot;
        struct su_run *run;
        void (*finished)(void *userdata, struct su_job *job);
        /* Cancel was called: it is for the manager to say whether that is allowed. */
        int (*cancel)(void *userdata, struct su_job *job, sd_bus_message *call);
        void *userdata;
        struct su_job *next;
};

int su_job_new(sd_bus *bus, uint32_t id, const struct su_order *order, struct su_job **ret,
               struct su_error *err);
int su_job_start(struct su_job *job, const char *const *program, struct su_error *err);
static inline bool su_job_is_running(const struct su_job *job)
{
        return job->run != NULL;
}
void su_job_cancel(struct su_job *job);
void su_job_free(struct su_job *job);
