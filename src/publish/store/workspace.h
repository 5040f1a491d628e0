/* The publisher's workspace: keys, records and drafts that stay private, and the public repository.
 *
 *     suture-publish.json      marks the directory
 *     keys/                    keyring.h
 *     baselines/NAME.json      baseline records
 *     drafts/BASELINE/         the level that is being put together: manifest.json and objects/
 *     staged/                  what waits for signatures: staging.h
 *     outgoing/                what is on its way to public/: publishing.h
 *     roots/                   what went out before each root
 *     jobs/, deltas/           deltas that are made apart, and those that were
 *     public/                  what a web server serves: metadata/, targets/, objects/
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"
#include "improvement/baseline.h"
#include "improvement/manifest.h"

#define SU_STAGED "staged"
/* N.timestamp.json: the timestamp that went out before the root of version N. Whoever brings the
 * repository elsewhere needs it: publishing.h. */
#define SU_ROOTS "roots"

struct su_workspace {
        char *path;
        int fd;
        const char *staging; /* SU_STAGED, or its copy while that is changed */
};

/* CONFLICT when the directory is one already. */
int su_workspace_init(const char *path, struct su_workspace *ret, struct su_error *err);
/* CONFIG when the directory is none; BUSY when another process has it and one of the two wants to
 * change it. */
enum su_workspace_access { SU_WORKSPACE_READ, SU_WORKSPACE_CHANGE };
int su_workspace_open(const char *path, enum su_workspace_access access, struct su_workspace *ret,
                      struct su_error *err);
void su_workspace_done(struct su_workspace *workspace);
#define su_auto_workspace su_auto(su_workspace_done)

int su_workspace_save_baseline(const struct su_workspace *workspace,
                               const struct su_baseline *baseline, struct su_error *err);
int su_workspace_load_baseline(const struct su_workspace *workspace, const char *name,
                               struct su_baseline *ret, struct su_error *err);
/* The name of the only baseline there is; USAGE when there are none or several. */
int su_workspace_only_baseline(const struct su_workspace *workspace, char **ret,
                               struct su_error *err);
/* `named`, or the only one. */
int su_workspace_choose_baseline(const struct su_workspace *workspace, const char *named,
                                 char **ret, struct su_error *err);

/* Make the directories that every workspace has. */
int su_workspace_make_directories(const struct su_workspace *workspace, struct su_error *err);
bool su_workspace_is_one(const char *path);

/* The draft's directory, made when needed. */
int su_workspace_draft_dir(const struct su_workspace *workspace, const char *baseline, int *ret_fd,
                           struct su_error *err);
/* -ENOENT, NOT_FOUND: nothing is drafted. */
int su_workspace_load_draft(const struct su_workspace *workspace, const char *baseline,
                            struct su_manifest *ret, struct su_error *err);
int su_workspace_save_draft(const struct su_workspace *workspace,
                            const struct su_manifest *manifest, struct su_error *err);
int su_workspace_drop_draft(const struct su_workspace *workspace, const char *baseline,
                            struct su_error *err);
