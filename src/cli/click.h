/* A click on a notification leads to the settings panel (Desktop Notifications Specification 1.2,
 * "ActionInvoked"; Desktop Entry Specification, "D-Bus Activation"). Whoever showed it has to be
 * there for that: for a while, and no longer than it is shown. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/error.h"

#define SU_CLICKS_MAX 32

/* What is shown, by the number that the notifications' server gave it. */
struct su_clicks {
        struct {
                uint32_t id;
                const char *kind; /* of what needs a person; constant */
        } shown[SU_CLICKS_MAX];
        size_t n_shown;
};

/* Whether the server on the session's bus tells of clicks. */
bool su_clicks_are_told(sd_bus *bus);
void su_clicks_add(struct su_clicks *clicks, uint32_t id, const char *kind);
/* Until the last one is closed, the time is over (0), or the message at login has changed: there
 * may be something new to show (1). */
int su_clicks_wait(struct su_clicks *clicks, sd_bus *bus, struct su_error *err);
