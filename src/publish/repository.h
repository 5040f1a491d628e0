/* The public repository: TUF metadata, targets and objects, written in an order that no device ever
 * sees a half-published state: what is named first, what names it after, the timestamp last. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "improvement/channel.h"
#include "improvement/manifest.h"
#include "publish/workspace.h"
#include "trust/metadata.h"
#include "json/json.h"

/* How long signatures are good for, in days. */
#define SU_ROOT_DAYS 365
#define SU_TARGETS_DAYS 90
#define SU_SNAPSHOT_DAYS 30
#define SU_TIMESTAMP_DAYS 14

struct su_new_target {
        const char *path;
        const char *text;
        size_t size;
};

/* Make the keys and an empty repository. */
int su_repository_init(const struct su_workspace *workspace, struct su_error *err);

/* Add or replace targets and sign everything below the root anew. With none: only a refresh. */
int su_repository_publish(const struct su_workspace *workspace, const struct su_new_target *targets,
                          size_t n_targets, struct su_error *err);

/* The newest published metadata of a role. */
int su_repository_metadata(const struct su_workspace *workspace, enum su_role role,
                           struct su_metadata *ret, struct su_error *err);

/* NOT_FOUND when nothing of that name is published. */
int su_repository_channel(const struct su_workspace *workspace, const char *baseline,
                          struct su_channel *ret, struct su_error *err);
int su_repository_manifest(const struct su_workspace *workspace, const char *baseline,
                           const struct su_level *level, struct su_manifest *ret,
                           struct su_error *err);

/* Put an object from `from_fd` (a directory that holds it under its SHA-256) into the repository.
 * What is there already stays. */
int su_repository_add_object(const struct su_workspace *workspace, int from_fd,
                             const struct su_object *object, struct su_error *err);
