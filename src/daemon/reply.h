/* Answers to method calls. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/error.h"

/* "org.suture1.Error.NAME", with the message. */
int su_reply_error(sd_bus_message *call, const char *name, const char *message);
/* The same of an error of ours; returns what a method handler returns. */
int su_reply_failure(sd_bus_message *call, const struct su_error *error);
