/* A publisher at work: the workspace, and the keys in it. */
#pragma once

#include "publish/keyring.h"
#include "publish/workspace.h"

struct su_publisher {
        struct su_workspace workspace;
        struct su_keyring keyring;
};

#define SU_PUBLISHER_EMPTY                                                                         \
        {                                                                                          \
                .workspace = {.fd = -EBADF}, .keyring = {.fd = -EBADF }                            \
        }

/* Completes first what was on its way to public/ when a process was killed. */
int su_publisher_open(const struct su_publish_arguments *arguments, enum su_workspace_access access,
                      struct su_publisher *ret, struct su_error *err);
/* The same in a workspace that is made by this. */
int su_publisher_init(const struct su_publish_arguments *arguments, struct su_publisher *ret,
                      struct su_error *err);
void su_publisher_done(struct su_publisher *publisher);
#define su_auto_publisher su_auto(su_publisher_done)

/* The keys without a workspace, for machines that only keep keys: in keys/ of the directory when it
 * is a workspace, else in the directory itself. */
int su_publisher_open_keys(const struct su_publish_arguments *arguments, struct su_keyring *ret,
                           struct su_error *err);
