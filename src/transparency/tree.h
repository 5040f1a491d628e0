/* Merkle trees over SHA-256 (RFC 6962 section 2.1, RFC 9162 section 2.1): roots, proofs that an
 * entry is in a tree, proofs that a tree is the beginning of another.
 *
 * A tree of any size is made of complete subtrees: that of height h and index i spans the leaves
 * from i * 2^h on, 2^h of them. All that is computed here is computed from their hashes, at most
 * two for each bit of the size, and from these only, wherever they are kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "crypto/sha256.h"

#define SU_TREE_PROOF_MAX 64

/* The hash of the complete subtree of this height (0: a leaf) and index. */
typedef int (*su_tree_read)(void *userdata, unsigned height, uint64_t index, struct su_sha256 *ret,
                            struct su_error *err);
struct su_tree_source {
        su_tree_read read;
        void *userdata;
};

/* Leaf hashes in memory as a source; it computes the subtrees each time. */
struct su_tree_leaves {
        const struct su_sha256 *hashes;
        uint64_t n;
};
struct su_tree_source su_tree_source_of_leaves(struct su_tree_leaves *leaves);

struct su_tree_proof {
        struct su_sha256 hashes[SU_TREE_PROOF_MAX]; /* from the leaves upwards */
        size_t n;
};

/* The hash of an entry, and that of two hashes. */
int su_tree_hash_leaf(const void *data, size_t size, struct su_sha256 *ret, struct su_error *err);
int su_tree_hash_node(const struct su_sha256 *left, const struct su_sha256 *right,
                      struct su_sha256 *ret, struct su_error *err);

/* The root of the first `size` leaves; that of none is the hash of nothing. USAGE above
 * SU_LOG_SIZE_MAX, in all that follows. */
int su_tree_root(const struct su_tree_source *source, uint64_t size, struct su_sha256 *ret,
                 struct su_error *err);
/* That leaf `index` is in the tree of `size` leaves (RFC 9162 section 2.1.3.1). USAGE when it is
 * not. */
int su_tree_prove_inclusion(const struct su_tree_source *source, uint64_t index, uint64_t size,
                            struct su_tree_proof *ret, struct su_error *err);
/* That the tree of `old_size` is the beginning of that of `size` (section 2.1.4.1); empty when one
 * follows from the other without: sizes are the same, or the old tree was empty. */
int su_tree_prove_consistency(const struct su_tree_source *source, uint64_t old_size, uint64_t size,
                              struct su_tree_proof *ret, struct su_error *err);

/* A tree that grows leaf by leaf, of which only the root is wanted. Starts with {0}. */
struct su_tree_edge {
        uint64_t n;                                 /* leaves */
        struct su_sha256 hashes[SU_TREE_PROOF_MAX]; /* by height, of its complete subtrees */
};
int su_tree_edge_add(struct su_tree_edge *edge, const struct su_sha256 *leaf, struct su_error *err);
int su_tree_edge_root(const struct su_tree_edge *edge, struct su_sha256 *ret, struct su_error *err);

/* RFC 9162 section 2.1.3.2. NOT_LOGGED when it is not proven. */
int su_tree_verify_inclusion(const struct su_sha256 *leaf, uint64_t index, uint64_t size,
                             const struct su_sha256 *root, const struct su_tree_proof *proof,
                             struct su_error *err);
/* RFC 9162 section 2.1.4.2. ROLLBACK when it is not proven: the log is smaller than it was, or took
 * back what it said. */
int su_tree_verify_consistency(uint64_t old_size, const struct su_sha256 *old_root, uint64_t size,
                               const struct su_sha256 *root, const struct su_tree_proof *proof,
                               struct su_error *err);
