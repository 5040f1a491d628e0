/* suture-publish floor: say below which level no recall and no roll-out may lead a device. */
#include <stdio.h>

#include "publish/tool/amend.h"
#include "publish/tool/verbs.h"
#include "publish/tool/waiting.h"

/* Devices remember the highest floor that they ever saw: to lower it would be an empty word. */
static int raise_floor(struct su_publisher *publisher, struct su_channel *channel,
                       struct su_channel_level *level, const struct su_publish_arguments *arguments,
                       struct su_error *err)
{
        (void)publisher;
        (void)arguments;
        if (su_level_compare(&level->level, &channel->floor) < 0)
                return su_fail(err, SU_ERROR_ROLLBACK,
                               "the floor of %s is (%s): devices remember it, it can only rise",
                               channel->baseline, channel->floor.name);
        if (level->recall_reason)
                return su_fail(err, SU_ERROR_CONFLICT,
                               "level (%s) was recalled: devices cannot be kept at it",
                               level->level.name);
        channel->floor = level->level;
        return 0;
}

int su_verb_floor(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_amended struct su_amended amended = {0};
        int r;

        if (!arguments->level)
                return su_fail(err, SU_ERROR_USAGE, "say which --level");
        r = su_channel_amend(arguments, raise_floor, &publisher, &amended, err);
        if (r < 0)
                return r;
        (void)printf("The floor of %s is level (%s)%s.\n", amended.channel.baseline,
                     arguments->level,
                     amended.is_published ? "" : ": staged, until it has its signatures");
        return su_waiting_print(&publisher, err);
}
