/* What a verb works with, opened as the command line says. */
#pragma once

#include "publish/signing/publisher.h"
#include "publish/tool/verbs.h"

struct su_secrets su_secrets_of(const struct su_publish_arguments *arguments);

int su_publisher_open(const struct su_publish_arguments *arguments, enum su_workspace_access access,
                      struct su_publisher *ret, struct su_error *err);
/* The same in a workspace that is made by this. */
int su_publisher_init(const struct su_publish_arguments *arguments, struct su_publisher *ret,
                      struct su_error *err);

/* The keys without a workspace, for machines that only keep keys: in keys/ of the directory when it
 * is a workspace, else in the directory itself. */
int su_publisher_open_keys(const struct su_publish_arguments *arguments, struct su_keyring *ret,
                           struct su_error *err);
