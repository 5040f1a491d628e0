/* The surroundings of the device, as those know who watch them: NetworkManager (is the network
 * metered?), UPower (is there mains, and what is left in the battery?), logind (does somebody work
 * here?). Who is not there says nothing: then nothing holds anybody back. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "base/error.h"

struct su_facts {
        bool metered;
        bool on_battery;
        int battery; /* percent; -1: nobody knows */
        bool in_use;
};

struct su_around;

/* Told once when all were asked, and then whenever something is another way. */
typedef void (*su_around_listener)(void *userdata, const struct su_facts *facts);

/* Nothing wakes the agent up but a change. */
int su_around_new(sd_bus *bus, su_around_listener listener, void *userdata, struct su_around **ret,
                  struct su_error *err);
void su_around_free(struct su_around *around);
