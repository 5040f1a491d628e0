/* suture-publish recall: withdraw a level. */
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "base/text.h"
#include "improvement/statement.h"
#include "publish/signing/channels.h"
#include "publish/signing/logging.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"
#include "publish/tool/waiting.h"

#define REASON_MAX 1024

static int find_level(struct su_channel *channel, const char *name, struct su_channel_level **ret,
                      struct su_error *err)
{
        for (size_t i = 0; i < channel->n_levels; i++)
                if (strcmp(channel->levels[i].level.name, name) == 0) {
                        *ret = &channel->levels[i];
                        return 0;
                }
        return su_fail(err, SU_ERROR_NOT_FOUND, "%s has no level '%s'", channel->baseline, name);
}

/* The newest level that is not recalled is what is offered now. */
static void choose_current(struct su_channel *channel)
{
        channel->current = (struct su_level){0};
        for (size_t i = 0; i < channel->n_levels; i++)
                if (!channel->levels[i].recall_reason &&
                    su_level_compare(&channel->levels[i].level, &channel->current) > 0)
                        channel->current = channel->levels[i].level;
}

/* A recall that was staged with another reason, or was not logged yet, may be told again. */
static int mark(struct su_publisher *publisher, struct su_channel *channel,
                struct su_channel_level *level, const char *reason, struct su_error *err)
{
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
        r = su_strdup(reason, &level->recall_reason, err);
        if (r >= 0)
                r = su_log_prove_entry(publisher, entry, size, &level->recall_proof, err);
        channel->serial++;
        choose_current(channel);
        return r;
}

/* A level that is offered again wants its proof again. */
static int prove_current(struct su_publisher *publisher, struct su_channel *channel,
                         struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        struct su_channel_level *current;
        int r;

        if (!channel->current.name[0])
                return 0;
        r = find_level(channel, channel->current.name, &current, err);
        if (r < 0 || current->proof)
                return r;
        r = su_repository_manifest(&publisher->workspace, SU_NEWEST, channel->baseline,
                                   &channel->current, &manifest, err);
        return r < 0 ? r : su_log_prove_release(publisher, &manifest, &current->proof, err);
}

static int stage(struct su_publisher *publisher, const struct su_publish_arguments *arguments,
                 const char *baseline, struct su_channel *channel, struct su_error *err)
{
        struct su_channel_level *level;
        su_auto_json json_t *signed_part = NULL;
        int r;

        r = su_channel_open(&publisher->workspace, baseline, channel, err);
        if (r >= 0)
                r = find_level(channel, arguments->level, &level, err);
        if (r >= 0)
                r = mark(publisher, channel, level, arguments->reason, err);
        if (r >= 0)
                r = prove_current(publisher, channel, err);
        if (r >= 0)
                r = su_staging_next(&publisher->workspace, baseline, &signed_part, err);
        if (r >= 0)
                r = su_channel_stage(&publisher->workspace, channel, signed_part, err);
        if (r >= 0)
                r = su_staging_put(publisher, baseline, signed_part, SU_SIGN_STRICT, err);
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

int su_verb_recall(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_published struct su_published published = {0};
        su_auto_channel struct su_channel channel = {0};
        su_auto_free char *baseline = NULL;
        const char *now;
        int r;

        r = check_arguments(arguments, err);
        if (r >= 0)
                r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r >= 0)
                r = su_workspace_choose_baseline(&publisher.workspace, arguments->baseline,
                                                 &baseline, err);
        if (r >= 0)
                r = su_staging_begin(&publisher.workspace, err);
        if (r >= 0)
                r = stage(&publisher, arguments, baseline, &channel, err);
        if (r >= 0)
                r = su_waiting_finish(&publisher, false, &published, err);
        if (r < 0)
                return r;
        now = channel.current.name[0] ? channel.current.name : "none";
        if (su_published_has(&published, baseline))
                (void)printf("Recalled %s level (%s); offered now: (%s).\n", baseline,
                             arguments->level, now);
        else
                (void)printf("The recall of %s level (%s) is staged: it is published when it has "
                             "its signatures.\n",
                             baseline, arguments->level);
        return su_waiting_print(&publisher, err);
}
