/* Many machines that look for improvements as suture-update.timer has them do it: when each gets a
 * level, and what the web server sees of it. Each machine's place in the roll-out and what is
 * offered when are decided by what decides it for real (improvement/channel.h); nothing is random,
 * so the same question has the same answer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "improvement/channel.h"

#define SU_CROWD_LOOKS_A_DAY 4
#define SU_CROWD_DAYS_MAX 366

/* Of one machine, in requests and bytes with all headers. */
struct su_traffic {
        uint64_t requests;
        uint64_t bytes;
};

struct su_crowd_costs {
        struct su_traffic look;    /* nothing is new */
        struct su_traffic refresh; /* the repository was signed anew */
        struct su_traffic change;  /* more than that: the channel is another one */
        struct su_traffic install; /* more than that: a level is installed */
};

struct su_crowd {
        const char *baseline;
        const struct su_channel_level *level; /* its roll-out; begins with the first step */
        size_t machines;
        int days;      /* to look at, from the first step on */
        int recall_at; /* once so many percent have it, it is recalled; 0: never */
        struct su_crowd_costs costs;
};

struct su_crowd_day {
        int64_t at;  /* its end */
        int offered; /* percent, then */
        size_t have; /* machines that have the level, then */
        struct su_traffic traffic;
        uint64_t peak_requests; /* in a minute */
        uint64_t peak_bytes;    /* in a minute */
};

struct su_crowd_result {
        struct su_crowd_day *days;
        size_t n_days;
        int64_t half, nearly_all; /* when 50 % and 99 % of all machines had it; 0: never */
        int64_t recalled;         /* when; 0: it was not */
        size_t had;               /* at that time */
        int64_t left;             /* when the last one had left it; 0: not by the end */
};

int su_crowd_run(const struct su_crowd *crowd, struct su_crowd_result *ret, struct su_error *err);
void su_crowd_result_done(struct su_crowd_result *result);
#define su_auto_crowd_result su_auto(su_crowd_result_done)
