/* What happens at boot: the layers of the active generation are put back before /usr is used, from
 * verified local state, without network; and what keeps a system from getting there is left off. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"
#include "device/collect.h"
#include "device/engine.h"
#include "device/restore.h"

/* So many boots in a row may fail to reach the healthy mark. */
#define SU_BOOT_TRIES 3

enum su_activated {
        SU_ACTIVATED_NOTHING,  /* no improvement is installed */
        SU_ACTIVATED_ALREADY,  /* they are on /usr: the user space alone was restarted */
        SU_ACTIVATED_RESTORED, /* see `restoration` */
        SU_ACTIVATED_DISABLED, /* suture.disable: not for this boot */
        SU_ACTIVATED_RETIRED,  /* a new baseline was booted: what was for the former is retired */
        SU_ACTIVATED_FALLEN_BACK, /* to the baseline: see `reason` */
};

struct su_activation {
        enum su_activated activated;
        struct su_level level; /* what it is about */
        struct su_restoration restoration;
        char *reason;
};

int su_activate(struct su_engine *engine, struct su_activation *activation, struct su_error *err);
void su_activation_done(struct su_activation *activation);
#define su_auto_activation su_auto(su_activation_done)

/* The boot is a good one: what is on /usr may stay, and what it replaced may go. An error after the
 * mark says that not all of it went. */
int su_mark_healthy(struct su_engine *engine, struct su_collected *ret, struct su_error *err);
