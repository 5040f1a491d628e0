/* The message at login: what needs a person, in /run/motd.d/suture, which pam_motd shows. */
#pragma once

#include "device/engine.h"

/* Once a verb is done: write what there is to say now, or remove it where there is nothing. Whoever
 * holds the state at that moment does it when he is done. That it fails is no failure of the verb.
 * `boots`: nobody runs old code yet, and the boot is not to wait for a look. */
void su_motd_update(const struct su_engine_options *options, bool boots);
