/* The documents below the state directory: manifests and proofs, by baseline and level. Each is
 * complete and durable once it has its name. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "improvement/manifest.h"

/* `text` was verified by the trust client. Loading gives -ENOENT when it is not there. */
int su_store_save_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           const char *text, size_t size, struct su_error *err);
int su_store_load_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           struct su_manifest *ret, struct su_error *err);

/* The manifest's own bytes; the caller frees. */
int su_store_read_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           char **ret_text, size_t *ret_size, struct su_error *err);

/* The proof that the release of a level is logged, as it came with the channel. */
int su_store_save_proof(int state_fd, const char *baseline, const struct su_level *level,
                        const char *proof, struct su_error *err);
int su_store_load_proof(int state_fd, const char *baseline, const struct su_level *level,
                        char **ret, struct su_error *err);

/* All manifests of a baseline that are stored: also those of former levels, whose code may still
 * run. A damaged one is an error, or passed over with `sound_only`. */
int su_store_load_manifests(int state_fd, const char *baseline, bool sound_only,
                            struct su_manifest_list *ret, struct su_error *err);

/* The newest level of a baseline whose manifest is stored; "" for none. */
int su_store_newest_level(int state_fd, const char *baseline, struct su_level *ret,
                          struct su_error *err);

/* By what names they lie in the directories "manifests" and "proofs"; and is a name such a one? */
int su_store_manifest_name(const char *baseline, const struct su_level *level, char **ret,
                           struct su_error *err);
int su_store_proof_name(const char *baseline, const struct su_level *level, char **ret,
                        struct su_error *err);
bool su_store_parse_manifest_name(const char *name, char **ret_baseline,
                                  struct su_level *ret_level);
bool su_store_parse_proof_name(const char *name, char **ret_baseline, struct su_level *ret_level);
