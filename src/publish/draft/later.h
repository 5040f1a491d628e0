/* Components whose deltas are made later: they stand in the draft without any.
 *
 *     drafts/BASELINE/images/SEAL            what the deltas make
 *     drafts/BASELINE/jobs/COMPONENT.json    the jobs
 */
#pragma once

#include "base/error.h"
#include "publish/draft/job.h"
#include "publish/store/workspace.h"

/* Where the jobs find the image. */
int su_later_image_path(const struct su_workspace *workspace, const char *baseline,
                        const struct su_sha256 *seal, char **ret, struct su_error *err);
/* Move the file `image` of `scratch_fd` there. */
int su_later_keep_image(const struct su_workspace *workspace, const char *baseline, int scratch_fd,
                        const char *image, const struct su_sha256 *seal, struct su_error *err);
int su_later_put(const struct su_workspace *workspace, const char *baseline, const char *component,
                 const struct su_job_list *jobs, struct su_error *err);

/* Give every component of the draft that has no deltas yet what came of its jobs. CONFLICT when
 * some were not done. */
int su_later_adopt(const struct su_workspace *workspace, struct su_manifest *manifest, int store_fd,
                   struct su_error *err);

typedef int (*su_later_visit)(void *userdata, const char *baseline, const char *component,
                              const struct su_job *job, struct su_error *err);
/* Every job of every draft, those that are done included; by the names of baselines and components,
 * then in their order. */
int su_later_each(const struct su_workspace *workspace, su_later_visit visit, void *userdata,
                  struct su_error *err);
