/* A process of our own for work on what others sent: a fork that gives up all that it does not need
 * before it begins, and ends with its task.
 *
 * It has a user of its own where we are root, no capabilities, no way to gain any, the system calls
 * of its kind, no files but those that it is given, and limits. It dies with who started it.
 * Programs that start workers have one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "sandbox/message.h"

enum su_worker_kind {
        SU_WORKER_COMPUTES, /* it tells by a pipe; no socket, no open */
        SU_WORKER_FETCHES,  /* it is asked and answers by a socket; the network, and files for it */
};

struct su_worker_options {
        const char *name; /* for messages: "decoder" */
        enum su_worker_kind kind;
        const int *fds; /* what it gets of ours */
        size_t n_fds;
        uint64_t memory_max; /* bytes of address space */
        uint64_t file_max;   /* bytes up to which it may write a file */
        uint64_t cpu_max_s;
};

/* The whole life of a worker; it tells at `channel_fd` what came of it. */
typedef void (*su_worker_main)(int channel_fd, void *userdata);

struct su_worker;

int su_worker_start(const struct su_worker_options *options, su_worker_main work, void *userdata,
                    struct su_worker **ret, struct su_error *err);
/* One that fetches, of a service that listens at `path`: it confines itself (su_worker_become()).
 * WORKER when nobody is there. `name` is for messages. */
int su_worker_connect(const char *name, const char *path, struct su_worker **ret,
                      struct su_error *err);
/* It is no more when this returns, whatever it was at; one of a service has a few seconds. */
void su_worker_free(struct su_worker *worker);

/* Make this process, which a service manager has started, a worker that serves who is at the other
 * end of `channel_fd`: all that it does not need is given up, for good. */
int su_worker_become(const struct su_worker_options *options, int channel_fd, struct su_error *err);

/* Wait for its next message. 1: `ret` is one, until the next call; 0: none within `timeout_ms`, or
 * a signal came. WORKER when it has ended, FORMAT when it talks nonsense; what it tells as
 * SU_MESSAGE_ERROR is the error that this fails with. */
int su_worker_wait(struct su_worker *worker, int timeout_ms, struct su_message *ret,
                   struct su_error *err);
/* False when nothing can come of it any more. */
bool su_worker_is_usable(const struct su_worker *worker);

/* Of one that fetches: give it a task. */
int su_worker_ask(struct su_worker *worker, uint32_t kind, const void *data, size_t size,
                  struct su_error *err);

static inline void su_worker_free_p(struct su_worker **worker)
{
        su_worker_free(*worker);
}
#define su_auto_worker su_auto(su_worker_free_p)
