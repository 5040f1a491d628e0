/* What the repository holds: TUF metadata, targets and objects, published or waiting.
 *
 *     public/metadata/, public/targets/, public/objects/    what devices see
 *     staged/N.ROLE.json, staged/targets/                   what waits for signatures: staging.h
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "improvement/channel.h"
#include "improvement/manifest.h"
#include "publish/store/workspace.h"
#include "trust/delegations.h"
#include "trust/metadata.h"

/* More is never read. */
#define SU_METADATA_FILE_MAX (64 * 1024 * 1024)

/* What is published, or what will be: what waits takes the place of what is published. */
enum su_view { SU_PUBLISHED, SU_NEWEST };

/* A role by its name: one of the four, or a baseline's, whose metadata is of the type targets. */
enum su_role su_role_type(const char *name);
/* "N.ROLE.json", or "timestamp.json", which has no version in its name. */
int su_role_file(const char *role, int64_t version, char **ret, struct su_error *err);
/* The other way round; false when `file` is no such name. `ret_role` points into `file`, and ends
 * before ".json". */
bool su_role_file_parse(const char *file, int64_t *ret_version, const char **ret_role,
                        size_t *ret_role_size);

/* The newest metadata of a role; NOT_FOUND (-ENOENT) when there is none. */
int su_repository_metadata(const struct su_workspace *workspace, enum su_view view,
                           const char *role, struct su_metadata *ret, struct su_error *err);
/* The same from the directory of what waits alone. */
int su_repository_staged(const struct su_workspace *workspace, const char *role,
                         struct su_metadata *ret, struct su_error *err);

/* NOT_FOUND when nothing of that name is there. */
int su_repository_channel(const struct su_workspace *workspace, enum su_view view,
                          const char *baseline, struct su_channel *ret, struct su_error *err);
int su_repository_manifest(const struct su_workspace *workspace, enum su_view view,
                           const char *baseline, const struct su_level *level,
                           struct su_manifest *ret, struct su_error *err);

/* Whether a level of the baseline waits for signatures. */
bool su_repository_has_staged_level(const struct su_workspace *workspace, const char *baseline);

/* Put an object from `from_fd` (a directory that holds it under its SHA-256) into the repository.
 * What is there already stays. */
int su_repository_add_object(const struct su_workspace *workspace, int from_fd,
                             const struct su_object *object, struct su_error *err);
