/* suture-publish release: sign the draft and publish it. And refresh: sign what is there anew. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "publish/repository.h"
#include "publish/verbs.h"

static int add_objects(const struct su_workspace *workspace, const struct su_manifest *manifest,
                       struct su_error *err)
{
        su_auto_close int draft_fd = -EBADF;
        su_auto_close int objects_fd = -EBADF;
        int r;

        r = su_workspace_draft_dir(workspace, manifest->baseline, &draft_fd, err);
        if (r < 0)
                return r;
        objects_fd = openat(draft_fd, "objects", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (objects_fd < 0)
                return su_fail_errno(err, errno, "cannot open the draft's objects");
        for (size_t i = 0; i < manifest->n_components; i++)
                for (size_t j = 0; j < manifest->components[i].n_deltas; j++) {
                        r = su_repository_add_object(workspace, objects_fd,
                                                     &manifest->components[i].deltas[j].object,
                                                     err);
                        if (r < 0)
                                return r;
                }
        return 0;
}

static int add_level(struct su_channel *channel, const struct su_level *level, int percent,
                     struct su_error *err)
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
        added->rollout[0] = (struct su_rollout_step){.from = su_now(), .percent = percent};
        added->n_rollout = 1;
        channel->current = *level;
        channel->serial++;
        return 0;
}

static int open_channel(const struct su_workspace *workspace, const char *baseline,
                        struct su_channel *ret, struct su_error *err)
{
        int r;

        r = su_repository_channel(workspace, baseline, ret, err);
        if (r == -ENOENT)
                r = su_strdup(baseline, &ret->baseline, err);
        return r;
}

static int publish(const struct su_workspace *workspace, const struct su_manifest *manifest,
                   const struct su_channel *channel, struct su_error *err)
{
        su_auto_free char *manifest_path = NULL;
        su_auto_free char *manifest_text = NULL;
        su_auto_free char *channel_path = NULL;
        su_auto_free char *channel_text = NULL;
        size_t manifest_size;
        size_t channel_size;
        int r;

        r = su_manifest_target(manifest->baseline, &manifest->level, &manifest_path, err);
        if (r >= 0)
                r = su_manifest_write(manifest, &manifest_text, &manifest_size, err);
        if (r >= 0)
                r = su_channel_target(manifest->baseline, &channel_path, err);
        if (r >= 0)
                r = su_channel_write(channel, &channel_text, &channel_size, err);
        if (r < 0)
                return r;
        const struct su_new_target targets[] = {
                {manifest_path, manifest_text, manifest_size},
                {channel_path, channel_text, channel_size},
        };
        return su_repository_publish(workspace, targets, SU_ELEMENTS(targets), err);
}

static int choose_baseline(const struct su_publish_arguments *arguments,
                           const struct su_workspace *workspace, char **ret, struct su_error *err)
{
        if (arguments->baseline)
                return su_strdup(arguments->baseline, ret, err);
        return su_workspace_only_baseline(workspace, ret, err);
}

int su_verb_release(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_workspace struct su_workspace workspace = {.fd = -EBADF};
        su_auto_manifest struct su_manifest manifest = {0};
        su_auto_channel struct su_channel channel = {0};
        su_auto_free char *baseline = NULL;
        int r;

        r = su_workspace_open(arguments->workspace, SU_WORKSPACE_CHANGE, &workspace, err);
        if (r >= 0)
                r = choose_baseline(arguments, &workspace, &baseline, err);
        if (r >= 0)
                r = su_workspace_load_draft(&workspace, baseline, &manifest, err);
        if (r >= 0)
                r = open_channel(&workspace, baseline, &channel, err);
        if (r >= 0)
                r = add_level(&channel, &manifest.level, arguments->rollout, err);
        if (r >= 0)
                r = add_objects(&workspace, &manifest, err);
        if (r >= 0)
                r = publish(&workspace, &manifest, &channel, err);
        if (r >= 0)
                r = su_workspace_drop_draft(&workspace, baseline, err);
        if (r < 0)
                return r;
        (void)printf("Released %s level (%s) to %d %% of the devices.\n", baseline,
                     manifest.level.name, arguments->rollout);
        return 0;
}

int su_verb_refresh(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_workspace struct su_workspace workspace = {.fd = -EBADF};
        int r;

        r = su_workspace_open(arguments->workspace, SU_WORKSPACE_CHANGE, &workspace, err);
        if (r >= 0)
                r = su_repository_publish(&workspace, NULL, 0, err);
        if (r < 0)
                return r;
        (void)printf("Signed anew; devices accept this repository for %d days.\n",
                     SU_TIMESTAMP_DAYS);
        return 0;
}
