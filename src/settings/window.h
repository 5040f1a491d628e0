/* The window: one page made of parts, each of which shows its piece of the agent's status. */
#pragma once

#include <adwaita.h>

/* Frees itself when it is closed. */
GtkWindow *su_window_new(AdwApplication *application);
