/* The agent on the system bus does it: what a verb changes is one of its jobs, which everybody sees
 * and polkit allows. docs/DBUS.md. */
#pragma once

#include "base/error.h"
#include "cli/verbs.h"

/* 0 when there is no agent, and nothing was done. Else the verb is done, with what it prints, or
 * failed with the agent's error. */
int su_agent_do(const char *verb, const struct su_arguments *arguments, struct su_error *err);
