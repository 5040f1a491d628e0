/* What holds back what is done by itself: the surroundings of the device, and what its
 * configuration makes of them. Pure: who asks NetworkManager, UPower and logind is the agent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "restart/due.h"
#include "json/json.h"

/* As far as anybody knows; zero is a device in a rack. */
struct su_surroundings {
        bool metered; /* what is downloaded costs somebody money */
        bool on_battery;
        int battery; /* percent that is left then */
        bool in_use; /* a person works on it */
};

struct su_condition_policy {
        bool ignores_metered;
        int64_t battery_min; /* percent below which nothing is installed without mains */
        bool waits_for_idle;
        struct su_windows windows; /* none: at any time */
};

/* Bits of a set. */
enum su_condition {
        SU_CONDITION_METERED = 1 << 0,
        SU_CONDITION_BATTERY = 1 << 1,
        SU_CONDITION_IN_USE = 1 << 2,
        SU_CONDITION_WINDOW = 1 << 3,
};
#define SU_CONDITIONS 4

/* What a download, or an installation of what was downloaded, waits for. When the level is
 * `enforced` (it is out for as long as its administrator allows to wait) only an empty battery
 * counts. */
unsigned su_conditions_of_download(const struct su_condition_policy *policy,
                                   const struct su_surroundings *surroundings, bool enforced);
unsigned su_conditions_of_install(const struct su_condition_policy *policy,
                                  const struct su_surroundings *surroundings, bool enforced,
                                  int64_t now);

/* "metered", "battery", "in-use", "window", and for people what is waited for. */
const char *su_condition_name(enum su_condition condition);
const char *su_condition_wish(enum su_condition condition);
/* An array of names; NULL when memory runs out. */
json_t *su_conditions_to_json(unsigned conditions);
unsigned su_conditions_from_json(const json_t *names);
