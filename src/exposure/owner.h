/* Whose a process is, in the words of the service manager. */
#pragma once

#include "base/error.h"
#include "base/own.h"

struct su_owner {
        char *unit;      /* the system unit; NULL: none */
        char *user_unit; /* the unit of a user's manager; NULL: none */
        char *session;   /* the login session; NULL: none */
};

void su_owner_done(struct su_owner *owner);
#define su_auto_owner su_auto(su_owner_done)
