/* The deltas of a component: from the baseline's files, from its earlier images, from nothing. They
 * are planned, made (run.h, here or elsewhere), and adopted. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "publish/draft/job.h"
#include "publish/store/workspace.h"

struct su_delta_work {
        const struct su_workspace *workspace;
        const char *baseline;
        const char *tree;  /* path of the baseline's files */
        const char *image; /* path that the component's image has when the jobs are done */
        int image_fd;
        bool fast;
        const struct su_component *component;
};

int su_deltas_plan(const struct su_delta_work *work, struct su_job_list *ret, struct su_error *err);

/* Give the component what came of its jobs, with the objects in `objects_fd`. A delta from an
 * earlier image is taken only when it is smaller than what a device can have without that image.
 * -ENOENT (err untouched), and `ret_missing` says how many: some were not done yet. CONFLICT when
 * the jobs are those of another image. */
int su_deltas_adopt(struct su_component *component, const struct su_job_list *jobs, int store_fd,
                    int objects_fd, size_t *ret_missing, struct su_error *err);

/* Move its objects from those of `scratch_fd` to the draft's. */
int su_deltas_keep(int scratch_fd, int draft_fd, const struct su_component *component,
                   struct su_error *err);
