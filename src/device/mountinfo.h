/* Look things up in /proc/self/mountinfo (proc(5)). */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

struct su_mount {
        char *path; /* the mount point */
        char *type;
        char *source;
};

/* The mount that `path` lies on: with several on one mount point, the uppermost. */
int su_mount_of_path(const char *path, struct su_mount *ret, struct su_error *err);
void su_mount_done(struct su_mount *mount);
#define su_auto_mount su_auto(su_mount_done)

/* A mount point strictly below `path`, or NULL. */
int su_mount_find_below(const char *path, char **ret, struct su_error *err);
