/* suture-publish release: sign the draft and publish it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "publish/draft/later.h"
#include "publish/draft/results.h"
#include "publish/signing/channels.h"
#include "publish/signing/logging.h"
#include "publish/tool/groups.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"
#include "publish/tool/waiting.h"

static int add_level(struct su_channel *channel, const struct su_level *level,
                     const struct su_publish_arguments *arguments, struct su_error *err)
{
        struct su_channel_level *larger =
                reallocarray(channel->levels, channel->n_levels + 1, sizeof *channel->levels);
        struct su_channel_level *added;

        if (!larger)
                return su_fail_oom(err);
        channel->levels = larger;
        added = &channel->levels[channel->n_levels++];
        *added = (struct su_channel_level){.level = *level};
        added->rollout = calloc(1, sizeof *added->rollout);
        if (!added->rollout)
                return su_fail_oom(err);
        added->rollout[0] =
                (struct su_rollout_step){.from = su_now(), .percent = arguments->rollout};
        added->n_rollout = 1;
        channel->current = *level;
        channel->serial++;
        return su_groups_copy(&arguments->groups, added, err);
}

static int stage_manifest(const struct su_workspace *workspace, const struct su_manifest *manifest,
                          json_t *signed_part, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_manifest_target(manifest->baseline, &manifest->level, &path, err);
        if (r >= 0)
                r = su_manifest_write(manifest, &text, &size, err);
        if (r >= 0)
                r = su_staging_add_target(workspace, signed_part, path, text, size, err);
        return r;
}

/* Only the current level's proof is wanted by anybody. */
static int prove(struct su_publisher *publisher, const struct su_manifest *manifest,
                 struct su_channel *channel, struct su_error *err)
{
        for (size_t i = 0; i < channel->n_levels; i++) {
                free(channel->levels[i].proof);
                channel->levels[i].proof = NULL;
        }
        return su_log_prove_release(publisher, manifest,
                                    &channel->levels[channel->n_levels - 1].proof, err);
}

static int stage(struct su_publisher *publisher, const struct su_manifest *manifest,
                 const struct su_publish_arguments *arguments, struct su_error *err)
{
        const struct su_workspace *workspace = &publisher->workspace;
        su_auto_channel struct su_channel channel = {0};
        su_auto_json json_t *signed_part = NULL;
        int r;

        r = su_staging_next(workspace, manifest->baseline, &signed_part, err);
        if (r >= 0 && !signed_part)
                return su_fail(err, SU_ERROR_NOT_FOUND,
                               "nobody signs for %s yet: record it with 'suture-publish baseline'",
                               manifest->baseline);
        if (r >= 0)
                r = su_channel_open(workspace, manifest->baseline, &channel, err);
        if (r >= 0)
                r = add_level(&channel, &manifest->level, arguments, err);
        if (r >= 0)
                r = stage_manifest(workspace, manifest, signed_part, err);
        if (r >= 0)
                r = prove(publisher, manifest, &channel, err);
        if (r >= 0)
                r = su_channel_stage(workspace, &channel, signed_part, err);
        if (r >= 0)
                r = su_staging_put(publisher, manifest->baseline, signed_part, SU_SIGN_STRICT, err);
        return r;
}

static int load_draft(const struct su_publish_arguments *arguments,
                      const struct su_workspace *workspace, struct su_manifest *ret,
                      struct su_error *err)
{
        su_auto_free char *baseline = NULL;
        int r;

        r = su_workspace_choose_baseline(workspace, arguments->baseline, &baseline, err);
        if (r >= 0 && su_repository_has_staged_level(workspace, baseline))
                return su_fail(err, SU_ERROR_CONFLICT,
                               "a level of %s waits for signatures: 'suture-publish sign' says "
                               "for which",
                               baseline);
        return r < 0 ? r : su_workspace_load_draft(workspace, baseline, ret, err);
}

/* Deltas that were put off must have been made by now. */
static int adopt_deltas(const struct su_publish_arguments *arguments,
                        const struct su_workspace *workspace, struct su_manifest *manifest,
                        struct su_error *err)
{
        su_auto_close int store_fd = -EBADF;
        int r;

        r = su_results_open(workspace->path, arguments->store, &store_fd, err);
        return r < 0 ? r : su_later_adopt(workspace, manifest, store_fd, err);
}

int su_verb_release(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_published struct su_published published = {0};
        su_auto_manifest struct su_manifest manifest = {0};
        int r;

        r = su_groups_check(&arguments->groups, err);
        if (r >= 0)
                r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r >= 0)
                r = load_draft(arguments, &publisher.workspace, &manifest, err);
        if (r >= 0)
                r = adopt_deltas(arguments, &publisher.workspace, &manifest, err);
        if (r >= 0)
                r = su_staging_begin(&publisher.workspace, err);
        if (r >= 0)
                r = stage(&publisher, &manifest, arguments, err);
        if (r >= 0)
                r = su_waiting_finish(&publisher, false, &published, err);
        if (r < 0)
                return r;
        if (su_published_has(&published, manifest.baseline))
                (void)printf("Released %s level (%s) to %d %% of the devices.\n", manifest.baseline,
                             manifest.level.name, arguments->rollout);
        else
                (void)printf("%s level (%s) is staged: it is released when it has its "
                             "signatures.\n",
                             manifest.baseline, manifest.level.name);
        return su_waiting_print(&publisher, err);
}
