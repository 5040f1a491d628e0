/* What a device would find: the client's own library, over the published files. */
#pragma once

#include "improvement/manifest.h"
#include "publish/store/workspace.h"
#include "json/json.h"

/* "roles": [{"role", "version", "expires"}] of all that is trusted then, and "baselines": [{"name",
 * "level", "objects", "bytes"}]. Begins with the root metadata in the file `root` of the workspace;
 * `url` is where the repository is. `with_objects`: every delta is fetched and compared, too. What
 * was found before something failed stays in `ret`, which the caller made. */
int su_examine(const struct su_workspace *workspace, const char *root, const char *url,
               bool with_objects, json_t *ret, struct su_error *err);

/* The file:// URL of the workspace's public/. */
int su_examine_local_url(const struct su_workspace *workspace, char **ret, struct su_error *err);

/* What a device that begins with the root metadata in the file `root`, and finds the repository at
 * `url`, would be told that the level of the baseline is. */
int su_examine_manifest(const char *root, const char *url, const char *baseline,
                        const struct su_level *level, struct su_manifest *ret,
                        struct su_error *err);
