/* A titled list of rows that is made anew when its part of the status document is another one, and
 * left alone, with whoever has the keyboard's focus in it, while that is the same. */
#pragma once

#include <adwaita.h>
#include <stdbool.h>

#include "json/json.h"

struct su_section {
        AdwPreferencesGroup *group;
        GPtrArray *rows; /* borrowed from the group */
        json_t *shown;   /* what they were made of */
};

/* Put below `parent`. */
void su_section_init(struct su_section *section, AdwPreferencesPage *parent, const char *title);
void su_section_done(struct su_section *section);

/* Whether `part` (taken over; what the rows depend on, also NULL) is another one: then there are no
 * rows any more, and the caller makes them. */
bool su_section_begin(struct su_section *section, json_t *part);
void su_section_add(struct su_section *section, GtkWidget *row);

/* A button that says `label`, in which an underscore is before the letter of its key. (The label
 * property of a button would be read aloud with the underscore, up to GTK 4.8.) `style`: a class,
 * or NULL. */
GtkWidget *su_button_new(const char *label, const char *action, const char *style);
void su_button_set_label(GtkWidget *button, const char *label);

/* A row with a title, and a subtitle below it ("": none), both plain text. */
GtkWidget *su_row_new(const char *title, const char *subtitle);
/* The same, with an icon before it. */
GtkWidget *su_row_with_icon(const char *icon, const char *title, const char *subtitle);
