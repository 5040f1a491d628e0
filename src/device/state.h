/* What the device remembers, below /var/lib/suture. docs/FORMATS.md, "On-disk state".
 *
 * state.json is the one document that decides; it is replaced atomically, and written ahead: a
 * transition is in it before the first system call that could change /usr, and out of it after the
 * last. Whoever opens the state next settles what a kill left in between.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "base/paths.h"
#include "device/conditions.h"
#include "device/holder.h"
#include "device/knowledge.h"
#include "improvement/level.h"
#include "restart/moment.h"
#include "restart/watched.h"
#include "json/json.h"

#define SU_GENERATION_NONE (-1)

/* What the last look at the repository gave. */
struct su_check_record {
        int64_t at;            /* 0: never */
        char *outcome;         /* an error name of base/error.h, or "Offered", "UpToDate" */
        char *message;         /* for people */
        struct su_level level; /* the level offered */
};

/* The layers are off /usr while a package manager works on the base. */
struct su_suspension {
        struct su_holder holder; /* pid 0: they are not */
        int64_t since;
};

/* Boots since the last one that reached the healthy mark. */
struct su_boot_count {
        int64_t tries;
        char counted[SU_BOOT_ID_SIZE]; /* the boot that was counted last */
};

struct su_state {
        int64_t newest;           /* number of the newest generation that was ever made */
        int64_t active;           /* the generation that is meant to be on /usr; 0: the baseline */
        int64_t previous;         /* the generation before that; 0: the baseline */
        int64_t retired;          /* a generation whose components all ceased to apply; 0: none */
        int64_t transition;       /* a swap to this generation was begun; SU_GENERATION_NONE */
        struct su_level level;    /* of the active generation; "": the baseline */
        char *baseline;           /* that the active generation was made for; NULL with 0 */
        struct su_moment changed; /* when /usr was changed last */
        int64_t restart_after;    /* a person wished no restart before; 0: nobody did */
        int64_t waiting_since; /* somebody uses what is old since then; 0: nobody, as far as known
                                */
        struct su_suspension suspension;
        struct su_watched watched;
        struct su_boot_count boots;
        struct su_knowledge knowledge;
        unsigned waits; /* conditions (conditions.h) that what is done by itself waits for */
        struct su_check_record check;
};

int su_state_load(int state_fd, struct su_state *ret, struct su_error *err);
int su_state_save(int state_fd, const struct su_state *state, struct su_error *err);
void su_state_done(struct su_state *state);
#define su_auto_state su_auto(su_state_done)

/* A swap to `generation` is about to begin, or took place, or did not: steps of a transition, to be
 * saved by the caller. `removed`: a person takes this level off; NULL for any other reason.
 * `baseline` is taken over. */
void su_state_begin(struct su_state *state, int64_t generation, const struct su_level *removed);
int su_state_end(struct su_state *state, int64_t generation, const struct su_level *level,
                 char *baseline, struct su_error *err);
void su_state_give_up(struct su_state *state);

/* Hold the state for oneself; BUSY when another instance does. The lock goes with `ret_fd`. */
int su_state_lock(int state_fd, int *ret_fd, struct su_error *err);

/* Ask whoever holds the lock to give way where he can: while he waits for the network. The request
 * goes with `ret_fd`. */
int su_state_ask(int state_fd, int *ret_fd, struct su_error *err);
bool su_state_is_asked_for(int state_fd);
