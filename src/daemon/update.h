/* What is done by itself: a run of 'suture install --unattended' with the surroundings as they are,
 * and once more whenever they clear, until there is nothing left that waits. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "base/error.h"
#include "daemon/job.h"

struct su_update;

/* Begins a job that does `order`. `finished` is to be called with it at its end. */
typedef int (*su_update_begin)(void *userdata, const struct su_order *order, struct su_job **ret,
                               struct su_error *err);
/* Whoever asked for an update is told once: its job, or why there is none (NULL). */
typedef void (*su_update_begun)(void *userdata, const struct su_job *job,
                                const struct su_error *failure);

int su_update_new(sd_bus *bus, su_update_begin begin, void *userdata, struct su_update **ret,
                  struct su_error *err);
int su_update_ask(struct su_update *update, su_update_begun begun, void *userdata,
                  struct su_error *err);
/* A job has ended, whichever it was. */
void su_update_job_finished(struct su_update *update, const struct su_job *job);
/* It waits for the surroundings, or for a window. */
bool su_update_is_waiting(const struct su_update *update);
void su_update_free(struct su_update *update);
