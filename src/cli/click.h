/* A click on a notification leads to the settings panel (Desktop Notifications Specification 1.2,
 * "ActionInvoked"; Desktop Entry Specification, "D-Bus Activation"). Whoever showed it has to be
 * there for that: for ten minutes after the newest one, and no longer than one is shown. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/error.h"

#define SU_CLICKS_MAX 32
#define SU_ACTIVATION_TOKEN_SIZE 256

struct su_clicks {
        sd_event *event;
        sd_event_source *changes; /* of the message at login; NULL: it is not there to be watched */
        sd_bus *bus;              /* the session's; NULL: not listened to yet */
        struct {
                uint32_t id;      /* that the notifications' server gave it */
                const char *kind; /* of what needs a person; constant */
        } shown[SU_CLICKS_MAX];
        size_t n_shown;
        uint64_t until; /* CLOCK_MONOTONIC, in microseconds */
        bool changed;   /* the message at login: there may be something new to show */
        char token[SU_ACTIVATION_TOKEN_SIZE]; /* with which a window may come to the front */
};

/* From here on no change of the message at login is missed. */
int su_clicks_open(struct su_clicks *ret, struct su_error *err);
/* Once, before something is shown on this bus, which must outlive `clicks`. False: its
 * notifications' server does not tell of clicks. */
int su_clicks_listen(struct su_clicks *clicks, sd_bus *bus, bool *ret_told);
void su_clicks_add(struct su_clicks *clicks, uint32_t id, const char *kind);
/* Until the last one is closed or the time is over (0), or the message at login has changed (1). */
int su_clicks_wait(struct su_clicks *clicks, struct su_error *err);
void su_clicks_done(struct su_clicks *clicks);
