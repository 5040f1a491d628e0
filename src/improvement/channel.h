/* The channel: per baseline, which level is current, how far each is rolled out, what is recalled.
 * docs/FORMATS.md. A small TUF target that is signed anew whenever one of these changes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "improvement/level.h"

#define SU_CHANNEL_SIZE_MAX (256 * 1024)

/* From `from` on (seconds since 1970), `percent` of the devices are offered the level. */
struct su_rollout_step {
        int64_t from;
        int percent;
};

struct su_channel_level {
        struct su_level level;
        struct su_rollout_step *rollout; /* in the order of time */
        size_t n_rollout;
        int64_t paused; /* nobody is offered it any more since then (seconds since 1970); 0: is not
                         */
        char **groups;  /* of machines that are offered it from the first step on */
        size_t n_groups;
        char *proof;         /* that the release is logged (C2SP tlog-proof); may be NULL */
        char *recall_reason; /* NULL: not recalled */
        int64_t recalled;    /* when (seconds since 1970); 0: not said, or not recalled */
        char *recall_proof;  /* that the recall is logged; may be NULL */
};

struct su_channel {
        char *baseline;
        int64_t serial;          /* grows with every change */
        struct su_level current; /* "": nothing is offered */
        struct su_level floor;   /* no device goes below this level; "": none */
        struct su_channel_level *levels;
        size_t n_levels;
};

int su_channel_parse(const char *text, size_t size, struct su_channel *ret, struct su_error *err);
int su_channel_write(const struct su_channel *channel, char **ret_text, size_t *ret_size,
                     struct su_error *err);
void su_channel_done(struct su_channel *channel);
#define su_auto_channel su_auto(su_channel_done)

/* NULL when the channel does not know the level. */
const struct su_channel_level *su_channel_find(const struct su_channel *channel,
                                               const struct su_level *level);

#define SU_ROLLOUT_STEPS_MAX 64
#define SU_GROUPS_MAX 16
#define SU_GROUP_SIZE 64 /* with the NUL */

/* A machine's groups are its administrator's to choose: lower-case letters, digits and '-'. */
bool su_group_is_name(const char *text);

/* How many percent of the devices are offered the level at `now`. */
int su_rollout_percent(const struct su_channel_level *level, int64_t now);

/* Where this device stands for a level, 0 to 99: it is offered the level once the percentage is
 * above that. The same device stands elsewhere for another level, so that nobody is always the
 * first. */
int su_rollout_position(const char *machine_id, const char *baseline, const struct su_level *level,
                        int *ret, struct su_error *err);
