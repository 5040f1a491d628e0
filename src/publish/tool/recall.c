/* suture-publish recall: withdraw a level. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/printable.h"
#include "base/text.h"
#include "improvement/statement.h"
#include "publish/signing/logging.h"
#include "publish/tool/amend.h"
#include "publish/tool/verbs.h"
#include "publish/tool/waiting.h"

#define REASON_MAX 1024

/* A recall that was staged with another reason, or was not logged yet, may be told again. */
static int mark(struct su_publisher *publisher, struct su_channel *channel,
                struct su_channel_level *level, const struct su_publish_arguments *arguments,
                struct su_error *err)
{
        const char *reason = arguments->reason;
        su_auto_free char *entry = NULL;
        size_t size;
        int r;

        r = su_statement_of_recall(channel->baseline, &level->level, reason, &entry, &size, err);
        if (r < 0)
                return r;
        free(level->recall_reason);
        free(level->recall_proof);
        free(level->proof);
        level->recall_reason = level->recall_proof = level->proof = NULL;
        level->recalled = su_now();
        r = su_strdup(reason, &level->recall_reason, err);
        if (r >= 0)
                r = su_log_prove_entry(publisher, entry, size, &level->recall_proof, err);
        return r;
}

static int check_arguments(const struct su_publish_arguments *arguments, struct su_error *err)
{
        if (!arguments->level || !arguments->reason)
                return su_fail(err, SU_ERROR_USAGE, "say which --level, and the --reason");
        if (!arguments->reason[0] || strlen(arguments->reason) > REASON_MAX ||
            !su_is_printable_ascii(arguments->reason))
                return su_fail(err, SU_ERROR_USAGE, "a reason is a line of at most %d characters",
                               REASON_MAX);
        return 0;
}

/* Devices go to what is offered, or back to what they ran before; never below the floor. */
static void print_floor(const struct su_channel *channel)
{
        if (!channel->current.name[0] && channel->floor.name[0])
                (void)printf(
                        "Nothing below the floor (%s) may be used: devices at a recalled level "
                        "keep it until there is a newer one.\n",
                        channel->floor.name);
}

int su_verb_recall(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_amended struct su_amended amended = {0};
        const struct su_channel *channel = &amended.channel;
        int r;

        r = check_arguments(arguments, err);
        if (r >= 0)
                r = su_channel_amend(arguments, mark, &publisher, &amended, err);
        if (r < 0)
                return r;
        if (amended.is_published)
                (void)printf("Recalled %s level (%s); offered now: (%s).\n", channel->baseline,
                             arguments->level,
                             channel->current.name[0] ? channel->current.name : "none");
        else
                (void)printf("The recall of %s level (%s) is staged: it is published when it has "
                             "its signatures.\n",
                             channel->baseline, arguments->level);
        print_floor(channel);
        return su_waiting_print(&publisher, err);
}
