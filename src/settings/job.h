/* A job of the agent's, as far as it is shown: org.suture1.Job. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

struct su_shown_job {
        char *path; /* of its object; NULL: none is at work */
        char *kind; /* "install", ... */
        char *step; /* what it does right now; "" at its begin */
        guint64 done;
        guint64 total; /* 0: not known */
        bool is_cancelled;
};

/* Takes the changed properties (a{sv}) of its object over. */
void su_shown_job_take(struct su_shown_job *job, GVariant *properties);
void su_shown_job_begin(struct su_shown_job *job, const char *path, const char *kind);
void su_shown_job_done(struct su_shown_job *job);
