/* What is done by itself, the last check, and who says so. */
#pragma once

#include <adwaita.h>

#include "json/json.h"

struct su_automatic_rows {
        AdwPreferencesGroup *group;
        GtkWidget *managed;
        GtkWidget *automatic;
        GtkWidget *automatic_switch;
        GtkWidget *last_check;
        GtkWidget *check; /* has the action "win.check" */
        /* A person turned the switch; it turns when the agent says so. */
        void (*turned)(void *userdata, const char *level);
        void *userdata;
};

void su_automatic_init(struct su_automatic_rows *rows, AdwPreferencesPage *parent);
void su_automatic_show(struct su_automatic_rows *rows, const json_t *status);
