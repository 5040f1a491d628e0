/* The restart plan: the smallest set of things that must restart so that no process is exposed any
 * more, and why.
 *
 * Suture reloads and restarts services and lets PID 1 execute itself anew. What holds a session,
 * the message bus, login and display managers are never restarted here; the plan says what a person
 * has to do. Rules (restart/rules.h) decide about units.
 */
#pragma once

#include "base/error.h"
#include "base/own.h"
#include "exposure/exposure.h"
#include "improvement/rule.h"
#include "restart/stale.h"
#include "restart/units.h"

/* From the least to the most that it asks of people. */
enum su_action_kind {
        SU_ACTION_RELOAD,      /* a unit reads its data again: done by Suture */
        SU_ACTION_RESTART,     /* a unit: done by Suture */
        SU_ACTION_REEXECUTE,   /* PID 1 executes itself anew: done by Suture, stops nothing */
        SU_ACTION_RELAUNCH,    /* a program of a login session: its user opens it again */
        SU_ACTION_BY_PERSON,   /* waits for somebody who knows what it is */
        SU_ACTION_SOFT_REBOOT, /* only a restart of user space ends it */
        SU_ACTION_REBOOT,      /* the same where systemd has no soft-reboot */
        SU_ACTION_NOT_REACHED, /* runs in another tree: this improvement does not reach it */
};

const char *su_action_kind_name(enum su_action_kind kind);

struct su_action {
        enum su_action_kind kind;
        char *unit;   /* the unit that it is about, or NULL */
        char *advice; /* a sentence for people */
        char *reason; /* why: another one */
        pid_t leader; /* RELAUNCH: the program; else 0 */
        pid_t *pids;  /* by number; none for a unit that only reads data */
        size_t n_pids;
};

struct su_plan {
        struct su_action *actions; /* in the order of the kinds; units by name */
        size_t n_actions;
};

int su_plan_make(const struct su_exposure *exposure, const struct su_stale *stale,
                 const struct su_rules *rules, const struct su_units *units, struct su_plan *ret,
                 struct su_error *err);
void su_plan_done(struct su_plan *plan);
#define su_auto_plan su_auto(su_plan_done)

/* How many actions of a kind. */
size_t su_plan_count(const struct su_plan *plan, enum su_action_kind kind);
/* How many Suture does itself. */
size_t su_plan_count_own(const struct su_plan *plan);
/* The most that it asks for: "nothing", "restart", "relaunch", "person", "soft-reboot", "reboot".
 */
const char *su_plan_needs(const struct su_plan *plan);

/* Carry out what Suture does itself: reloads and restarts at once, then the re-execution. */
int su_plan_execute(const struct su_plan *plan, const struct su_units *units, struct su_error *err);
