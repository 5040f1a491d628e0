/* Whether the sender of a method call may do what it asks for: polkit says so; root may. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/error.h"

/* Called once, from the event loop or before su_authorize() returns: SU_OK, or PERMISSION with the
 * true reason. */
typedef void (*su_authorized)(void *userdata, const struct su_error *refusal);

/* Where polkit cannot be asked, nobody but root may. A person is asked for a password only where
 * the caller allows it. */
int su_authorize(sd_bus_message *call, const char *action, su_authorized authorized, void *userdata,
                 struct su_error *err);
