/* The channel of a baseline: read it, change it, and stage what became of it. */
#pragma once

#include "publish/signing/staging.h"

/* The newest one; an empty one when there is none yet. */
int su_channel_open(const struct su_workspace *workspace, const char *baseline,
                    struct su_channel *ret, struct su_error *err);
/* Into `signed_part`, which is the baseline's targets metadata. */
int su_channel_stage(const struct su_workspace *workspace, const struct su_channel *channel,
                     json_t *signed_part, struct su_error *err);
