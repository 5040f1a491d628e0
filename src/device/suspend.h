/* Take the layers off /usr while a package manager works on the base, and put back afterwards what
 * still applies. The package manager calls both (dpkg's pre-invoke and post-invoke, apt's
 * likewise); calls within one another count once: the outermost caller holds the suspension. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "device/engine.h"
#include "device/refresh.h"
#include "device/restore.h"

/* BUSY, naming it, while a package manager is at work: who holds a suspension, or has dpkg's lock.
 */
int su_suspend_check(const struct su_engine *engine, struct su_error *err);

/* `ret_suspended` is false where no improvement is on /usr; also then an install waits for the end.
 */
int su_suspend(struct su_engine *engine, bool *ret_suspended, struct su_error *err);

enum su_resumed {
        SU_RESUMED_NOTHING, /* nothing was suspended */
        SU_RESUMED_NOT_YET, /* another process, which is alive, holds the suspension */
        SU_RESUMED,         /* see `restoration` */
};

struct su_resume {
        enum su_resumed resumed;
        struct su_restoration restoration;
        struct su_error why_not; /* NOT_YET: who is at work */
        struct su_error
                refresh_error;     /* why nobody knows who is exposed; code SU_OK: it is known */
        struct su_refresh refresh; /* who is exposed by now; nothing is restarted */
};

/* `force`: whoever holds the suspension. */
int su_resume(struct su_engine *engine, bool force, struct su_resume *resume, struct su_error *err);
void su_resume_done(struct su_resume *resume);
#define su_auto_resume su_auto(su_resume_done)
