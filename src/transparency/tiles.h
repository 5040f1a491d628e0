/* A log of static files, seen at one size: any hash, proof and entry of it, by way of a function
 * that gets a file.
 *
 * Files are not trusted. What is proven is proven against the root that the caller has from a
 * checkpoint: DIGEST says that the files are not that log.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "transparency/tile.h"
#include "transparency/tree.h"

/* Get a file by its path below the log's prefix. NOT_FOUND when there is none, TOO_LARGE when it
 * has more than `max` bytes. `ret_data` is freed by free(). */
typedef int (*su_tiles_get)(void *userdata, const char *path, size_t max, char **ret_data,
                            size_t *ret_size, struct su_error *err);
struct su_tiles_reader {
        su_tiles_get get;
        void *userdata;
};

struct su_tiles;

/* `root` is the root of the tree of `size` leaves, as a checkpoint says. It reads tiles when they
 * are asked for, and keeps some. A tile that is no longer there as a partial one is taken from the
 * full one. */
int su_tiles_open(const struct su_tiles_reader *reader, uint64_t size, const struct su_sha256 *root,
                  struct su_tiles **ret, struct su_error *err);
void su_tiles_free(struct su_tiles *tiles);

/* The hashes as they stand in the tiles, unproven; lives as long as `tiles`. TRUNCATED, TOO_LARGE
 * for a tile of another size than it must have, NOT_FOUND for one that is missing. */
struct su_tree_source su_tiles_source(struct su_tiles *tiles);

/* DIGEST when the tiles do not have the root that they must have. */
int su_tiles_verify_root(struct su_tiles *tiles, struct su_error *err);

/* Proven against the root; USAGE for what is not in the tree. `ret_leaf` may be NULL. */
int su_tiles_prove_inclusion(struct su_tiles *tiles, uint64_t index, struct su_tree_proof *ret,
                             struct su_sha256 *ret_leaf, struct su_error *err);
/* Proven against the root, and against `old_root` (ROLLBACK when it is another) unless that is
 * NULL. */
int su_tiles_prove_consistency(struct su_tiles *tiles, uint64_t old_size,
                               const struct su_sha256 *old_root, struct su_tree_proof *ret,
                               struct su_error *err);

/* The bundle of this index: its entries, which point into `ret_data`, each as its hash in the tiles
 * of level 0 says (DIGEST), which is not proven. The caller frees `ret_data`. */
int su_tiles_read_bundle(struct su_tiles *tiles, uint64_t index, char **ret_data,
                         struct su_log_entry ret_entries[SU_TILE_WIDTH], unsigned *ret_n,
                         struct su_error *err);
/* An entry, proven to be in the tree. The caller frees. */
int su_tiles_read_entry(struct su_tiles *tiles, uint64_t index, void **ret_data, size_t *ret_size,
                        struct su_error *err);

/* An entry of the log, which lives until this returns. */
typedef int (*su_tiles_visit_entry)(void *userdata, uint64_t index,
                                    const struct su_log_entry *entry, struct su_error *err);

/* Read everything: each entry is what its hash says, each tile what those below it say, the root
 * what the checkpoint says. `visit` may be NULL; it gets each entry in order, and when it does, all
 * before it fit their tiles, but only success says that they are in the log. */
int su_tiles_verify_all(struct su_tiles *tiles, su_tiles_visit_entry visit, void *userdata,
                        struct su_error *err);

static inline void su_tiles_free_p(struct su_tiles **tiles)
{
        su_tiles_free(*tiles);
}
#define su_auto_tiles su_auto(su_tiles_free_p)
