/* The last look at the device's status, kept up to date while the agent is there. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/error.h"
#include "json/json.h"

struct su_look;

/* Told of each new document (NULL: the status cannot be had), and of the one before it. */
typedef void (*su_look_listener)(void *userdata, const json_t *before, const json_t *after);

/* Looks at once, and again whenever the device's state is written. */
int su_look_new(sd_event *event, const char *const *program, su_look_listener listener,
                void *userdata, struct su_look **ret, struct su_error *err);
void su_look_again(struct su_look *look);
/* NULL until the first look is done, and when the status cannot be had. It belongs to `look`. */
const json_t *su_look_document(const struct su_look *look);
bool su_look_is_busy(const struct su_look *look);
void su_look_free(struct su_look *look);
