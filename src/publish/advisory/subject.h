/* What is published for a baseline, as advisories tell it: all that the documents are made of. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "improvement/channel.h"
#include "improvement/manifest.h"
#include "publish/advisory/config.h"
#include "publish/store/workspace.h"

struct su_advised_level {
        const struct su_channel_level *state; /* of the subject's channel */
        struct su_manifest manifest;
        int64_t published;
        int64_t recalled; /* 0: was not recalled */
};

struct su_advised {
        const struct su_advisory_config *config;
        char *baseline;
        char *os_name; /* "Debian GNU/Linux 12 (bookworm)" */
        char *version; /* of the OS, "12"; may be "" */
        struct su_channel channel;
        struct su_advised_level *levels; /* the oldest first */
        size_t n_levels;
};

/* -ENOENT, NOT_FOUND: nothing is released for the baseline. */
int su_advised_load(const struct su_workspace *workspace, const struct su_advisory_config *config,
                    const char *baseline, struct su_advised *ret, struct su_error *err);
void su_advised_done(struct su_advised *subject);
#define su_auto_advised su_auto(su_advised_done)

/* The last change of a level, and of any. */
int64_t su_advised_changed(const struct su_advised_level *level);
int64_t su_advised_newest(const struct su_advised *subject);

/* The first level that has the component as `level` has it: another than `level` when it was only
 * carried on. */
const struct su_advised_level *su_advised_origin(const struct su_advised *subject,
                                                 const struct su_advised_level *level,
                                                 const struct su_component *component);
