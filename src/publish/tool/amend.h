/* Change a baseline's channel: what recall and floor have in common. */
#pragma once

#include "improvement/channel.h"
#include "publish/signing/publishing.h"
#include "publish/tool/session.h"

/* The change itself: to `level`, which the command line names, or which is offered now. */
typedef int (*su_amendment)(struct su_publisher *publisher, struct su_channel *channel,
                            struct su_channel_level *level,
                            const struct su_publish_arguments *arguments, struct su_error *err);

struct su_amended {
        struct su_channel channel;            /* as it is now */
        const struct su_channel_level *level; /* of it: what was changed */
        bool is_published;                    /* else it waits for its signatures */
};

/* Amend the channel, choose what is offered, and publish it as far as it is signed. */
int su_channel_amend(const struct su_publish_arguments *arguments, su_amendment amend,
                     struct su_publisher *publisher, struct su_amended *ret, struct su_error *err);
void su_amended_done(struct su_amended *amended);
#define su_auto_amended su_auto(su_amended_done)
