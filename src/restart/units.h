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
        /* Whether user space can be restarted without the machine (systemd 254). */
        bool (*can_soft_reboot)(void *userdata);
        void *userdata;
};

/* systemd, over the system bus. */
extern const struct su_units su_units_systemd;

/* For a tree that does not run: nobody owns anything, nothing can be restarted. */
extern const struct su_units su_units_none;
