/* The steps of a roll-out as people say them: "1 % now, 10 % tomorrow, 100 % on Friday 08:00". */
#pragma once

#include "base/error.h"
#include "improvement/channel.h"

/* Words joined by blanks, steps parted by commas. The time of a step is what date(1) understands,
 * in local time, after an optional "on", "at" or "from"; percentages grow, and times come one after
 * the other. USAGE, naming the step, otherwise. The caller frees `ret`. */
int su_steps_parse(char *const *words, size_t n_words, struct su_rollout_step **ret, size_t *ret_n,
                   struct su_error *err);

/* What becomes of a schedule at `now` when `steps` are what comes next: what was reached stays
 * said. Takes no ownership; TOO_LARGE when there are more than a channel may have. */
int su_steps_replace(struct su_channel_level *level, const struct su_rollout_step *steps, size_t n,
                     int64_t now, struct su_error *err);

/* A pause that began at level->paused is over at `now`: what had not come yet comes so much later.
 */
void su_steps_resume(struct su_channel_level *level, int64_t now);
