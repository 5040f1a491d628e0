/* New metadata, and what it names, that waits in staged/ for its signatures.
 *
 *     staged/N.ROLE.json             signatures that are wanted still are there, and empty
 *     staged/targets/DIR/SHA256.NAME channels and manifests that the metadata names
 *
 * All changes between su_staging_begin() and su_staging_commit() are one: they are made in a copy,
 * which takes the place of the directory at the end. So neither a kill nor a wrong passphrase
 * leaves a new root without the targets that go with it.
 */
#pragma once

#include "publish/signing/publisher.h"
#include "publish/signing/signing.h"
#include "publish/store/repository.h"

int su_staging_begin(struct su_workspace *workspace, struct su_error *err);
int su_staging_commit(struct su_workspace *workspace, struct su_error *err);
/* Drop the copy, and what a kill left of one. */
int su_staging_abandon(struct su_workspace *workspace, struct su_error *err);

/* Fill the empty directory `to_fd` with links to all that is below `from_fd`. */
int su_staging_link_tree(int from_fd, int to_fd, struct su_error *err);

/* The signed part of the next version of a role, to be changed and given to su_staging_put(): what
 * waits already keeps its version. `ret` is NULL when the role has no metadata yet. Its time of
 * expiry begins now. */
int su_staging_next(const struct su_workspace *workspace, const char *role, json_t **ret,
                    struct su_error *err);
/* Sign and write. */
int su_staging_put(struct su_publisher *publisher, const char *role, json_t *signed_part,
                   enum su_signing how, struct su_error *err);
/* Write a document whose signatures are as they should be. */
int su_staging_write(const struct su_workspace *workspace, const char *role, json_t *document,
                     struct su_error *err);
/* A channel or a manifest; its entry goes into `signed_part`'s "targets". */
int su_staging_add_target(const struct su_workspace *workspace, json_t *signed_part,
                          const char *path, const char *text, size_t size, struct su_error *err);

/* Make all that waits agree: a role whose keys have changed is signed anew, with all that can be
 * signed here; a baseline without metadata gets some. Before a commit. */
int su_staging_settle(struct su_publisher *publisher, struct su_error *err);

/* What waits, with whose signatures. */
struct su_staged {
        char *role;
        char *file; /* its name in staged/ */
        struct su_metadata metadata;
        struct su_authorities authorities;
        bool complete; /* signed by all that are required, and not expired */
};
struct su_staged_list {
        struct su_staged *each; /* root, targets, then the baselines by name */
        size_t n;
};

int su_staging_list(const struct su_workspace *workspace, struct su_staged_list *ret,
                    struct su_error *err);
void su_staged_list_done(struct su_staged_list *list);
#define su_auto_staged_list su_auto(su_staged_list_done)
