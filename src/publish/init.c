#include <stdio.h>

#include "publish/repository.h"
#include "publish/verbs.h"

int su_verb_init(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_workspace struct su_workspace workspace = {.fd = -EBADF};
        int r;

        r = su_workspace_init(arguments->workspace, &workspace, err);
        if (r >= 0)
                r = su_repository_init(&workspace, err);
        if (r < 0)
                return r;
        (void)printf(
                "Made a repository in %s.\n"
                "  keys/                         private keys: keep a copy in a safe place\n"
                "  public/                       serve this with any web server\n"
                "  public/metadata/1.root.json   ship this in the OS as /etc/suture/root.json\n",
                workspace.path);
        return 0;
}
