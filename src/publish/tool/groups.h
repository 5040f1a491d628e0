/* Groups of machines that are offered a level first. */
#pragma once

#include "improvement/channel.h"
#include "publish/tool/verbs.h"

/* USAGE when one is no name. */
int su_groups_check(const struct su_texts *names, struct su_error *err);
/* In the place of those that the level has. */
int su_groups_copy(const struct su_texts *names, struct su_channel_level *level,
                   struct su_error *err);
