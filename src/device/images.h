/* All images of the level that a change leads to: what is lacking is planned, fetched and rebuilt.
 */
#pragma once

#include "base/error.h"
#include "device/task.h"

/* Find out how each component of `task->change->to` stands to the base, and by which delta its
 * image is to be made. NOT_OFFERED when none applies, SPACE when there is not enough room. */
int su_images_plan(struct su_task *task, int base_fd, struct su_error *err);
int su_images_make(struct su_task *task, int base_fd, struct su_error *err);
