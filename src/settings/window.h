/* The window: one page made of parts, each of which shows its piece of the agent's status. */
#pragma once

#include <adwaita.h>

/* Frees itself when it is closed. */
GtkWindow *su_window_new(AdwApplication *application);
/* Bring the part of the page to the front that is about a kind of what needs a person, as soon as
 * it is there. */
void su_window_turn_to(GtkWindow *window, const char *kind);
