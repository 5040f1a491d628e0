/* A moment of one boot, to compare with what the service manager says of its units. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define SU_BOOT_ID_SIZE 37

struct su_moment {
        char boot_id[SU_BOOT_ID_SIZE]; /* "": never */
        uint64_t monotonic_us;         /* CLOCK_MONOTONIC */
};

int su_moment_now(struct su_moment *ret, struct su_error *err);

/* Whether something that began at `monotonic_us` of this boot began before `moment`. */
bool su_moment_is_after(const struct su_moment *moment, const struct su_moment *now,
                        uint64_t monotonic_us);
