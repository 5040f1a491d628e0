/* The arguments of a method call, as those of a verb of suture(8). */
#pragma once

#include <systemd/sd-bus.h>

#include "base/error.h"
#include "daemon/job.h"

/* The language in which it is asked, as the only argument: USAGE for what is none. */
int su_options_read_language(sd_bus_message *call, struct su_order *order, struct su_error *err);

/* None; options, a{sv}; or a string, the verb's operand. USAGE for an option that the verb does not
 * have, or of another type. */
int su_options_read(sd_bus_message *call, struct su_order *order, struct su_error *err);
