/* A publisher at work: the workspace, and the keys in it. */
#pragma once

#include "publish/keys/keyring.h"
#include "publish/store/workspace.h"

struct su_publisher {
        struct su_workspace workspace;
        struct su_keyring keyring;
};

#define SU_PUBLISHER_EMPTY                                                                         \
        {                                                                                          \
                .workspace = {.fd = -EBADF}, .keyring = {.fd = -EBADF }                            \
        }

/* Completes first what was on its way to public/ when a process was killed. */
int su_publisher_open_at(const char *path, enum su_workspace_access access,
                         const struct su_secrets *secrets, struct su_publisher *ret,
                         struct su_error *err);
/* The same in a workspace that is made by this. */
int su_publisher_init_at(const char *path, const struct su_secrets *secrets,
                         struct su_publisher *ret, struct su_error *err);
void su_publisher_done(struct su_publisher *publisher);
#define su_auto_publisher su_auto(su_publisher_done)
