#include "publish/advisory/subject.h"

#include <string.h>

#include "base/text.h"
#include "publish/store/repository.h"

/* The record is the publisher's own, and may have been put away: then the name has to do. */
static int load_os(const struct su_workspace *workspace, struct su_advised *subject,
                   struct su_error *err)
{
        su_auto_baseline struct su_baseline record = {0};
        int r;

        r = su_workspace_load_baseline(workspace, subject->baseline, &record, err);
        if (r < 0 && r != -ENOENT)
                return r;
        r = su_strdup(record.os_name ? record.os_name : subject->baseline, &subject->os_name, err);
        if (r >= 0)
                r = su_strdup(record.version ? record.version : "", &subject->version, err);
        return r;
}

static int load_level(const struct su_workspace *workspace, struct su_advised *subject,
                      const struct su_channel_level *state, struct su_error *err)
{
        struct su_advised_level *level = &subject->levels[subject->n_levels];
        int r;

        r = su_repository_manifest(workspace, SU_PUBLISHED, subject->baseline, &state->level,
                                   &level->manifest, err);
        if (r < 0)
                return r;
        subject->n_levels++;
        level->state = state;
        level->published = state->n_rollout > 0 ? state->rollout[0].from : level->manifest.created;
        if (state->recall_reason) /* former publishers did not say when */
                level->recalled =
                        state->recalled > level->published ? state->recalled : level->published;
        return 0;
}

static int compare_levels(const void *a, const void *b)
{
        const struct su_channel_level *first = a;
        const struct su_channel_level *second = b;

        return su_level_compare(&first->level, &second->level);
}

int su_advised_load(const struct su_workspace *workspace, const struct su_advisory_config *config,
                    const char *baseline, struct su_advised *ret, struct su_error *err)
{
        su_auto_advised struct su_advised subject = {.config = config};
        struct su_channel *channel = &subject.channel;
        int r;

        r = su_repository_channel(workspace, SU_PUBLISHED, baseline, channel, err);
        if (r >= 0 && channel->n_levels == 0)
                return su_fail(err, SU_ERROR_NOT_FOUND, "nothing is released for %s", baseline);
        if (r >= 0)
                r = su_strdup(baseline, &subject.baseline, err);
        if (r >= 0)
                r = load_os(workspace, &subject, err);
        if (r < 0)
                return r;
        qsort(channel->levels, channel->n_levels, sizeof *channel->levels, compare_levels);
        subject.levels = calloc(channel->n_levels, sizeof *subject.levels);
        if (!subject.levels)
                return su_fail_oom(err);
        for (size_t i = 0; i < channel->n_levels && r >= 0; i++)
                r = load_level(workspace, &subject, &channel->levels[i], err);
        if (r < 0) /* an absent manifest is no baseline without levels */
                return su_fail_prefix(err, r == -ENOENT ? -EBADMSG : r, "%s", baseline);
        *ret = subject;
        subject = (struct su_advised){0};
        return 0;
}

void su_advised_done(struct su_advised *subject)
{
        for (size_t i = 0; i < subject->n_levels; i++)
                su_manifest_done(&subject->levels[i].manifest);
        free(subject->levels);
        su_channel_done(&subject->channel);
        free(subject->baseline);
        free(subject->os_name);
        free(subject->version);
        *subject = (struct su_advised){0};
}

int64_t su_advised_changed(const struct su_advised_level *level)
{
        return level->recalled ? level->recalled : level->published;
}

int64_t su_advised_newest(const struct su_advised *subject)
{
        int64_t newest = 0;

        for (size_t i = 0; i < subject->n_levels; i++)
                if (su_advised_changed(&subject->levels[i]) > newest)
                        newest = su_advised_changed(&subject->levels[i]);
        return newest;
}

const struct su_advised_level *su_advised_origin(const struct su_advised *subject,
                                                 const struct su_advised_level *level,
                                                 const struct su_component *component)
{
        for (const struct su_advised_level *other = subject->levels; other < level; other++) {
                const struct su_component *same =
                        su_manifest_component(&other->manifest, component->name);

                if (same && same->image.size == component->image.size &&
                    su_sha256_equal(&same->image.seal, &component->image.seal))
                        return other;
        }
        return level;
}
