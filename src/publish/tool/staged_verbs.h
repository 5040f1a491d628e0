/* What "sign" does about the metadata that waits in a workspace. */
#pragma once

#include "publish/tool/verbs.h"

int su_staged_show(const struct su_publish_arguments *arguments, struct su_error *err);
int su_staged_add_signatures(const struct su_publish_arguments *arguments, struct su_error *err);
int su_staged_discard(const struct su_publish_arguments *arguments, struct su_error *err);
