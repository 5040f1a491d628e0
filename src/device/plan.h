/* The restart plan: what must restart so that no process is exposed any more, and why.
 *
 * Only services are restarted. What holds a session, the message bus, the login and display
 * managers and PID 1 are never restarted here; the plan says what a person has to do.
 */
#pragma once

#include "base/error.h"
#include "base/own.h"
#include "device/exposure.h"
#include "device/units.h"

enum su_action_kind {
        SU_ACTION_RESTART_UNIT, /* done by Suture */
        SU_ACTION_REEXECUTE,    /* PID 1 executes itself anew: done by Suture, stops nothing */
        SU_ACTION_BY_PERSON,    /* waits for somebody: log out, restart the program, reboot */
        SU_ACTION_NOT_REACHED,  /* runs in another tree: this improvement does not reach it */
};

const char *su_action_kind_name(enum su_action_kind kind);

struct su_action {
        enum su_action_kind kind;
        char *unit;   /* RESTART_UNIT: its name; else NULL or the unit it belongs to */
        char *advice; /* a sentence for people */
        pid_t *pids;
        size_t n_pids;
};

struct su_plan {
        struct su_action *actions; /* in the order of the kinds; units by name */
        size_t n_actions;
};

int su_plan_make(const struct su_exposure *exposure, const struct su_units *units,
                 struct su_plan *ret, struct su_error *err);
void su_plan_done(struct su_plan *plan);
#define su_auto_plan su_auto(su_plan_done)

/* How many actions of a kind. */
size_t su_plan_count(const struct su_plan *plan, enum su_action_kind kind);

/* Carry out what Suture does itself: the restarts, then the re-execution. */
int su_plan_execute(const struct su_plan *plan, const struct su_units *units, struct su_error *err);
