/* One run of the program `suture`: what it says on its way, and how it ends. The agent itself
 * changes nothing on the device: a run that crashes takes nobody with it, and its memory is gone
 * with it. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/error.h"
#include "json/json.h"

/* How it ended. */
struct su_outcome {
        json_t *result;        /* what `suture --json` prints; NULL: it failed */
        const char *text;      /* what `suture` prints for people */
        struct su_error error; /* SU_OK: it did not fail */
        const char *error_name;
};

/* Both are called from the event loop. `finished` comes once and last, and may free the run. */
struct su_run_listener {
        void (*progress)(void *userdata, const char *step, uint64_t done, uint64_t total);
        void (*finished)(void *userdata, const struct su_outcome *outcome);
        void *userdata;
};

struct su_run;

/* `program` (its path, and what it is always called with) is called with `arguments`; each ends
 * with NULL. It speaks `language`, "" for English. SIGCHLD has to be blocked. */
int su_run_start(sd_event *event, const char *const *program, const char *const arguments[],
                 const char *language, const struct su_run_listener *listener, struct su_run **ret,
                 struct su_error *err);
/* Ask it to stop: it ends, sooner or later, with CANCELLED or with what could not be stopped. */
void su_run_cancel(struct su_run *run);
/* One that is not finished is asked to stop, and waited for: a change that is past its point of no
 * return goes to its end. */
void su_run_free(struct su_run *run);
