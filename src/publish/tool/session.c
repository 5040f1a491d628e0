#include "publish/tool/session.h"

#include "base/file.h"
#include "base/text.h"

struct su_secrets su_secrets_of(const struct su_publish_arguments *arguments)
{
        return su_secrets_from(arguments->passphrase_file, arguments->ask_passphrase);
}

int su_publisher_open(const struct su_publish_arguments *arguments, enum su_workspace_access access,
                      struct su_publisher *ret, struct su_error *err)
{
        struct su_secrets secrets = su_secrets_of(arguments);

        return su_publisher_open_at(arguments->workspace, access, &secrets, ret, err);
}

int su_publisher_init(const struct su_publish_arguments *arguments, struct su_publisher *ret,
                      struct su_error *err)
{
        struct su_secrets secrets = su_secrets_of(arguments);

        return su_publisher_init_at(arguments->workspace, &secrets, ret, err);
}

int su_publisher_open_keys(const struct su_publish_arguments *arguments, struct su_keyring *ret,
                           struct su_error *err)
{
        struct su_secrets secrets = su_secrets_of(arguments);
        su_auto_free char *path = NULL;
        int fd = -EBADF;
        int r;

        r = su_format(&path, err, "%s%s", arguments->workspace,
                      su_workspace_is_one(arguments->workspace) ? "/keys" : "");
        if (r >= 0)
                r = su_dir_open(path, &fd, err);
        return r < 0 ? r : su_keyring_open(fd, &secrets, ret, err);
}
