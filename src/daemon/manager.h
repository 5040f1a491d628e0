/* The agent's object on the system bus: its methods, its jobs and its properties. docs/DBUS.md.
 *
 * One job at a time changes the device; who asks for another one meanwhile is told what is at work.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "base/error.h"
#include "daemon/job.h"

struct su_manager;

/* `program`: the path of `suture`, and what it is always called with, NULL at the end. `ready` is
 * called once, when the first look at the device is done: from then on calls can be answered. */
int su_manager_new(sd_bus *bus, const char *const *program, void (*ready)(void *userdata),
                   void *userdata, struct su_manager **ret, struct su_error *err);
/* Somebody waits for it, or it for something. */
bool su_manager_is_busy(const struct su_manager *manager);
void su_manager_free(struct su_manager *manager);
