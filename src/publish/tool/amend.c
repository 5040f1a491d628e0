#include "publish/tool/amend.h"

#include <string.h>

#include "publish/signing/channels.h"
#include "publish/signing/logging.h"
#include "publish/tool/waiting.h"

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

/* The one that is named, or the one that is offered. */
static int choose_level(struct su_channel *channel, const char *name, struct su_channel_level **ret,
                        struct su_error *err)
{
        if (!name && !channel->current.name[0])
                return su_fail(err, SU_ERROR_USAGE, "%s offers nothing: say which --level",
                               channel->baseline);
        return find_level(channel, name ? name : channel->current.name, ret, err);
}

/* The newest level that is not recalled is what is offered now, if it is not below the floor. */
static void choose_current(struct su_channel *channel)
{
        channel->current = (struct su_level){0};
        for (size_t i = 0; i < channel->n_levels; i++)
                if (!channel->levels[i].recall_reason &&
                    su_level_compare(&channel->levels[i].level, &channel->floor) >= 0 &&
                    su_level_compare(&channel->levels[i].level, &channel->current) > 0)
                        channel->current = channel->levels[i].level;
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
                 const char *baseline, su_amendment amend, struct su_amended *amended,
                 struct su_error *err)
{
        struct su_channel *channel = &amended->channel;
        struct su_channel_level *level;
        su_auto_json json_t *signed_part = NULL;
        int r;

        r = su_channel_open(&publisher->workspace, baseline, channel, err);
        if (r >= 0)
                r = choose_level(channel, arguments->level, &level, err);
        if (r >= 0)
                r = amend(publisher, channel, level, arguments, err);
        if (r < 0)
                return r;
        amended->level = level;
        channel->serial++;
        choose_current(channel);
        r = prove_current(publisher, channel, err);
        if (r >= 0)
                r = su_staging_next(&publisher->workspace, baseline, &signed_part, err);
        if (r >= 0)
                r = su_channel_stage(&publisher->workspace, channel, signed_part, err);
        if (r >= 0)
                r = su_staging_put(publisher, baseline, signed_part, SU_SIGN_STRICT, err);
        return r;
}

int su_channel_amend(const struct su_publish_arguments *arguments, su_amendment amend,
                     struct su_publisher *publisher, struct su_amended *ret, struct su_error *err)
{
        su_auto_published struct su_published published = {0};
        su_auto_free char *baseline = NULL;
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, publisher, err);
        if (r >= 0)
                r = su_workspace_choose_baseline(&publisher->workspace, arguments->baseline,
                                                 &baseline, err);
        if (r >= 0)
                r = su_staging_begin(&publisher->workspace, err);
        if (r >= 0)
                r = stage(publisher, arguments, baseline, amend, ret, err);
        if (r >= 0)
                r = su_waiting_finish(publisher, false, &published, err);
        if (r >= 0)
                ret->is_published = su_published_has(&published, baseline);
        return r;
}

void su_amended_done(struct su_amended *amended)
{
        su_channel_done(&amended->channel);
}
