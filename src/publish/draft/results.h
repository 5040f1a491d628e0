/* Deltas that were made, by the key of their job: a directory that several machines may share.
 *
 *     KEY.json      which object the job had for a result
 *     SHA256        the object
 *
 * Both get their names when they are complete, and both may be made twice: whoever is last replaces
 * what is the same, or as good. Who uses a result looks at its bytes first: a directory that others
 * write to is not taken at its word. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "publish/draft/job.h"
#include "publish/store/workspace.h"

struct su_result {
        bool is_none; /* there is too much to make a delta from */
        struct su_object object;
};

/* `path`, or deltas/ of the workspace when it is NULL; made when it is not there. */
int su_results_open(const char *workspace, const char *path, int *ret_fd, struct su_error *err);

/* -ENOENT (err untouched): the job was not done yet. DIGEST: the result is not what its record says
 * or no delta that the job asks for. */
int su_results_find(int store_fd, const struct su_job *job, struct su_result *ret,
                    struct su_error *err);
/* The same, and its object is copied to `objects_fd` under its digest. */
int su_results_take(int store_fd, const struct su_job *job, int objects_fd, struct su_result *ret,
                    struct su_error *err);

/* Names that begin with a dot are of processes at work: `pid` on this machine. */
#define SU_RESULT_DELTA "delta"
#define SU_RESULT_IMAGE "image"
#define SU_RESULT_RECORD "record"
int su_results_temporary(const struct su_job *job, pid_t pid, const char *what, char **ret,
                         struct su_error *err);
/* Remove what it left behind. */
void su_results_forget(int store_fd, const struct su_job *job, pid_t pid);

/* The file `temporary` of the store, open as `fd`, is the job's result; -EBADF: there is none. */
int su_results_put(int store_fd, const struct su_job *job, const char *temporary, int fd,
                   struct su_error *err);
