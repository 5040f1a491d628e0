#include "publish/signing/publisher.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/signing/publishing.h"
#include "publish/signing/staging.h"

/* A change that was not committed is none. */
void su_publisher_done(struct su_publisher *publisher)
{
        if (publisher->workspace.fd >= 0 && publisher->workspace.staging != NULL &&
            strcmp(publisher->workspace.staging, SU_STAGED) != 0)
                (void)su_staging_abandon(&publisher->workspace, NULL);
        su_keyring_done(&publisher->keyring);
        su_workspace_done(&publisher->workspace);
}

static int open_keys(const struct su_secrets *secrets, struct su_publisher *publisher,
                     struct su_error *err)
{
        int fd = -EBADF;
        int r;

        r = su_dir_make(publisher->workspace.fd, "keys", 0700, &fd, err);
        return r < 0 ? r : su_keyring_open(fd, secrets, &publisher->keyring, err);
}

static int settle(struct su_workspace *workspace, struct su_error *err)
{
        int r;

        r = su_publishing_settle(workspace, err);
        return r < 0 ? r : su_staging_abandon(workspace, err);
}

/* What a killed process left half done is nobody's to see, not even of those who only read. */
static int settle_for_reader(const char *path, struct su_error *err)
{
        su_auto_workspace struct su_workspace workspace = {.fd = -EBADF};
        int r;

        r = su_workspace_open(path, SU_WORKSPACE_CHANGE, &workspace, err);
        return r < 0 ? r : settle(&workspace, err);
}

static int open_settled(const char *path, enum su_workspace_access access, struct su_workspace *ret,
                        struct su_error *err)
{
        su_auto_workspace struct su_workspace workspace = {.fd = -EBADF};
        int r;

        r = su_workspace_open(path, access, &workspace, err);
        if (r >= 0 && access == SU_WORKSPACE_CHANGE)
                r = settle(&workspace, err);
        else if (r >= 0 && su_publishing_is_pending(&workspace)) {
                su_workspace_done(&workspace);
                r = settle_for_reader(path, err);
                if (r >= 0)
                        r = su_workspace_open(path, access, &workspace, err);
        }
        if (r < 0)
                return r;
        *ret = workspace;
        workspace = (struct su_workspace){.fd = -EBADF};
        return 0;
}

int su_publisher_open_at(const char *path, enum su_workspace_access access,
                         const struct su_secrets *secrets, struct su_publisher *ret,
                         struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        int r;

        r = open_settled(path, access, &publisher.workspace, err);
        if (r >= 0)
                r = open_keys(secrets, &publisher, err);
        if (r < 0)
                return r;
        *ret = publisher;
        publisher = (struct su_publisher)SU_PUBLISHER_EMPTY;
        return 0;
}

int su_publisher_init_at(const char *path, const struct su_secrets *secrets,
                         struct su_publisher *ret, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        int r;

        r = su_workspace_init(path, &publisher.workspace, err);
        if (r >= 0)
                r = su_workspace_make_directories(&publisher.workspace, err);
        if (r >= 0)
                r = open_keys(secrets, &publisher, err);
        if (r < 0)
                return r;
        *ret = publisher;
        publisher = (struct su_publisher)SU_PUBLISHER_EMPTY;
        return 0;
}
