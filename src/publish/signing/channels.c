#include "publish/signing/channels.h"

#include "base/text.h"

int su_channel_open(const struct su_workspace *workspace, const char *baseline,
                    struct su_channel *ret, struct su_error *err)
{
        int r;

        r = su_repository_channel(workspace, SU_NEWEST, baseline, ret, err);
        if (r == -ENOENT)
                r = su_strdup(baseline, &ret->baseline, err);
        return r;
}

int su_channel_stage(const struct su_workspace *workspace, const struct su_channel *channel,
                     json_t *signed_part, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_channel_target(channel->baseline, &path, err);
        if (r >= 0)
                r = su_channel_write(channel, &text, &size, err);
        if (r >= 0)
                r = su_staging_add_target(workspace, signed_part, path, text, size, err);
        return r;
}
