/* What the service manager knows of a process, and asking it to restart units. Behind a table, so
 * that the engine is tested without systemd. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/own.h"
#include "exposure/owner.h"

struct su_unit_job {
        const char *unit;
        bool reload; /* not restart */
};

/* How a unit does. All false: as it should, or nobody knows the unit. */
struct su_unit_condition {
        bool failed;        /* ended with a failure, and given up */
        bool restarting;    /* ended with a failure, and about to be started again */
        unsigned restarts;  /* how often it was started again so, since somebody started it */
        uint64_t active_us; /* for how long it has been active */
};

struct su_units {
        /* Whose is this process? Unknown ones have no unit and no session; that is no error. */
        int (*find_owner)(void *userdata, pid_t pid, struct su_owner *ret, struct su_error *err);
        /* Do all of them, at once and in the order of their dependencies, and wait until each is
         * done. RESTART, naming the units, when some did not come back. */
        int (*run)(void *userdata, const struct su_unit_job *jobs, size_t n_jobs,
                   struct su_error *err);
        /* Let the service manager execute itself anew, and wait until it answers again. */
        int (*reexecute)(void *userdata, struct su_error *err);
        /* When the unit last became active, or was reloaded, in microseconds of CLOCK_MONOTONIC; 0:
         * it is not active. */
        int (*active_since)(void *userdata, const char *unit, uint64_t *ret, struct su_error *err);
        int (*condition)(void *userdata, const char *unit, struct su_unit_condition *ret,
                         struct su_error *err);
        /* Run a health check (improvement/health.h): an error when it fails, or takes too long. */
        int (*check)(void *userdata, const char *command, struct su_error *err);
        /* Whether user space can be restarted without the machine (systemd 254). */
        bool (*can_soft_reboot)(void *userdata);
        void *userdata;
};

/* systemd, over the system bus. */
extern const struct su_units su_units_systemd;

/* For a tree that does not run: nobody owns anything, nothing can be restarted. */
extern const struct su_units su_units_none;
