/* What an update of a distribution would be as an improvement: its packages, fixes, files, and what
 * the checks say. */
#pragma once

#include "improvement/baseline.h"
#include "publish/debian/apt.h"
#include "publish/debian/updates.h"
#include "json/json.h"

struct su_proposal_work {
        const struct su_apt *apt;
        const struct su_baseline *baseline;
        const char *tree; /* path of the baseline's tree */
        int tree_fd;
};

/* The update's packages, fetched: paths to be freed by su_paths_free(). */
int su_proposal_fetch(const struct su_proposal_work *work, const struct su_update *update,
                      char ***ret_paths, struct su_error *err);
void su_paths_free(char **paths, size_t n);

/* {"component", "packages": [{"name", "old_version", "new_version"}], "fixes": [{"id", "title"}],
 * "files": [path], "findings": [{"check", "path", "finding"}]}. Nothing is drafted. */
int su_proposal_make(const struct su_proposal_work *work, const struct su_update *update,
                     char *const *paths, json_t **ret, struct su_error *err);
