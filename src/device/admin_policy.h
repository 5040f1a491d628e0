/* What the administrator allows on this device, whoever asks: the section [Policy] of the
 * configuration. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "improvement/channel.h"
#include "improvement/level.h"

#define SU_SKIPS_MAX 64

struct su_skips {
        struct su_level levels[SU_SKIPS_MAX];
        size_t n_levels;
};

/* Of machines that a publisher may offer a level first. */
struct su_groups {
        char names[SU_GROUPS_MAX][SU_GROUP_SIZE];
        size_t n_names;
};

struct su_admin_policy {
        bool forbids_install; /* of a newer level; leaving a recalled one is no installation */
        bool forbids_removal;
        int64_t defer;   /* seconds after its release before a level is wanted */
        int64_t enforce; /* seconds after its release from which it is installed by itself, 0: never
                          */
        int64_t enforce_from;  /* seconds since 1970 from which whatever is offered is, 0: never */
        struct su_level pin;   /* no newer level is; "": none */
        struct su_skips skips; /* these are not */
        struct su_groups groups; /* that this machine belongs to */
};
