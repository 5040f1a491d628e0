/* When restarts may be done: maintenance windows and a deadline.
 *
 * Windows are in the system's local time: "02:00-05:00" every day, "Sat,Sun 22:00-06:00" on those
 * days; one may pass midnight and belongs to the day on which it begins. Without a window every
 * time is right.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SU_WINDOWS_MAX 32

struct su_window {
        uint8_t days; /* bit 0: Sunday; on which it begins */
        int begin;    /* minute of the day */
        int minutes;  /* how long it is open; at most a day */
};

bool su_window_parse(const char *text, struct su_window *ret);

/* Seconds from "90", "30min", "12h", "3d". */
bool su_duration_parse(const char *text, int64_t *ret);

struct su_windows {
        struct su_window windows[SU_WINDOWS_MAX];
        size_t n_windows;
};

struct su_restart_policy {
        struct su_windows windows;
        int64_t deadline;     /* seconds after which a pending restart is overdue; 0: never */
        bool restart_overdue; /* then restart outside of a window too; else only say so */
};

/* Times are seconds since 1970. */
bool su_restart_is_open(const struct su_restart_policy *policy, int64_t now);
/* When a window opens next (now, when one is open); -1: never within eight days. */
int64_t su_restart_opens(const struct su_restart_policy *policy, int64_t now);
/* The next two o'clock in the morning, local time: when a person says "tonight". */
int64_t su_restart_tonight(int64_t now);
/* Until when such a wish of a person holds: `now` when it is over, and when the clock was wrong at
 * the time: no night is further away than a day. */
int64_t su_restart_put_off_until(int64_t wish, int64_t now);
bool su_restart_is_overdue(const struct su_restart_policy *policy, int64_t waiting_since,
                           int64_t now);
/* Whether what has waited since then may be restarted now. */
bool su_restart_is_due(const struct su_restart_policy *policy, int64_t waiting_since, int64_t now);
