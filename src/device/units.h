/* What the service manager knows of a process, and asking it to restart units. Behind a table, so
 * that the engine is tested without systemd. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/own.h"

struct su_owner {
        char *unit;      /* the system unit; NULL: none */
        char *user_unit; /* the unit of a user's manager; NULL: none */
        char *session;   /* the login session; NULL: none */
};

void su_owner_done(struct su_owner *owner);
#define su_auto_owner su_auto(su_owner_done)

struct su_units {
        /* Whose is this process? Unknown ones have no unit and no session; that is no error. */
        int (*find_owner)(void *userdata, pid_t pid, struct su_owner *ret, struct su_error *err);
        /* Restart all of them, at once, and wait until each is done. RESTART, naming the units,
         * when some did not come back. */
        int (*restart)(void *userdata, const char *const *units, size_t n_units,
                       struct su_error *err);
        /* Let the service manager execute itself anew, and wait until it answers again. */
        int (*reexecute)(void *userdata, struct su_error *err);
        void *userdata;
};

/* systemd, over the system bus. */
extern const struct su_units su_units_systemd;

/* For a tree that does not run: nobody owns anything, nothing can be restarted. */
extern const struct su_units su_units_none;
