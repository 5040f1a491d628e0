/* What a person is asked before something is done that others notice. */
#pragma once

#include <adwaita.h>

#include "json/json.h"

/* `then` gets the response: "now", "tonight" or "remove"; not called when it was left. */
typedef void (*su_dialog_then)(void *userdata, const char *response);

/* Before an installation: what it restarts, and when. */
void su_dialog_ask_install(GtkWindow *parent, const json_t *status, su_dialog_then then,
                           void *userdata);
/* Before a removal: what is not fixed any more. */
void su_dialog_ask_removal(GtkWindow *parent, const json_t *status, su_dialog_then then,
                           void *userdata);
