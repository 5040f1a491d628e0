/* The head of the page: the version with its letter, one sentence of truth, what can be done about
 * it, and how far a job is. */
#pragma once

#include <adwaita.h>

#include "settings/job.h"
#include "json/json.h"

struct su_header {
        GtkWidget *icon;
        GtkWidget *version;
        GtkWidget *os;
        GtkWidget *sentence;
        GtkWidget *buttons;
        GtkWidget *install;
        GtkWidget *restart_now;
        GtkWidget *restart_tonight;
        GtkWidget *reason; /* why something cannot be done */
        GtkWidget *progress;
        GtkWidget *step;
        GtkWidget *bar;
        GtkWidget *cancel;
};

/* Buttons have the actions "win.install", "win.restart-now", "win.restart-tonight" and
 * "win.cancel". */
void su_header_init(struct su_header *header, AdwPreferencesPage *parent);
/* `job` NULL: none is at work. */
void su_header_show(struct su_header *header, const json_t *status, const struct su_shown_job *job);
