/* The making of one delta as a job: all that it needs is said in one small document, and what comes
 * of it depends on nothing else. So it can be done here or on another machine, now or later, and
 * its result has a name before it is made: the key. docs/FORMATS.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/own.h"
#include "improvement/manifest.h"
#include "json/json.h"

#define SU_JOB_SIZE_MAX (16 * 1024 * 1024)
#define SU_JOBS_MAX 16 /* of one component */

struct su_job {
        struct su_sha256 key; /* of all of the following but where things lie */
        bool fast;
        bool is_trial;                       /* wanted only if it is smaller than the others */
        struct su_delta_source_ref *sources; /* an image has its bytes' SHA-256, too */
        size_t n_sources;
        struct su_image_ref target;
        struct su_sha256 target_sha256;
        char *image;  /* the target's path */
        char *tree;   /* the path of the tree with the sources */
        char *packed; /* the path of the earlier image among the sources, packed; else NULL */
};

void su_job_done(struct su_job *job);
#define su_auto_job su_auto(su_job_done)

/* Of all that decides about the bytes of the result. */
int su_job_find_key(const struct su_job *job, struct su_sha256 *ret, struct su_error *err);

/* New reference; NULL when there is no memory. */
json_t *su_job_to_json(const struct su_job *job);
/* FORMAT when it is no job, or its key is not that of what it says. */
int su_job_from_json(const json_t *document, struct su_job *ret, struct su_error *err);
int su_job_parse(const char *text, size_t size, struct su_job *ret, struct su_error *err);

struct su_job_list {
        struct su_job *each;
        size_t n;
};

void su_job_list_done(struct su_job_list *list);
#define su_auto_job_list su_auto(su_job_list_done)

/* All jobs of a component, in the order in which their deltas stand in the manifest. */
int su_job_list_write(const struct su_job_list *list, int dir_fd, const char *name,
                      struct su_error *err);
/* -ENOENT, NOT_FOUND: there is no such file. */
int su_job_list_read(int dir_fd, const char *name, struct su_job_list *ret, struct su_error *err);
