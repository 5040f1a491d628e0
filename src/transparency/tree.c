#include "transparency/tree.h"

#include <inttypes.h>
#include <string.h>

#include "transparency/checkpoint.h"

int su_tree_hash_leaf(const void *data, size_t size, struct su_sha256 *ret, struct su_error *err)
{
        su_auto_sha256_stream struct su_sha256_stream *stream = NULL;
        int r;

        r = su_sha256_stream_new(&stream, err);
        if (r >= 0)
                r = su_sha256_stream_update(stream, "\0", 1, err);
        if (r >= 0 && size > 0)
                r = su_sha256_stream_update(stream, data, size, err);
        if (r >= 0)
                r = su_sha256_stream_finish(stream, ret, err);
        return r;
}

int su_tree_hash_node(const struct su_sha256 *left, const struct su_sha256 *right,
                      struct su_sha256 *ret, struct su_error *err)
{
        uint8_t data[1 + 2 * SU_SHA256_SIZE] = {1};

        memcpy(data + 1, left->bytes, SU_SHA256_SIZE);
        memcpy(data + 1 + SU_SHA256_SIZE, right->bytes, SU_SHA256_SIZE);
        return su_sha256_of(data, sizeof data, ret, err);
}

static int check_size(uint64_t size, struct su_error *err)
{
        if (size > SU_LOG_SIZE_MAX)
                return su_fail(err, SU_ERROR_USAGE, "no log has %" PRIu64 " entries", size);
        return 0;
}

/* The root of the leaves from `begin` to `end`, at least one, where the complete subtrees that they
 * are made of, by the bits of their number, begin: the smallest, on the right, first. */
static int hash_range(const struct su_tree_source *source, uint64_t begin, uint64_t end,
                      struct su_sha256 *ret, struct su_error *err)
{
        struct su_sha256 root;
        bool first = true;

        for (unsigned height = 0; begin < end; height++) {
                struct su_sha256 subtree;
                int r;

                if (!((end - begin) >> height & 1))
                        continue;
                end -= UINT64_C(1) << height;
                r = source->read(source->userdata, height, end >> height, &subtree, err);
                if (r >= 0 && !first)
                        r = su_tree_hash_node(&subtree, &root, &subtree, err);
                if (r < 0)
                        return r;
                root = subtree;
                first = false;
        }
        *ret = root;
        return 0;
}

int su_tree_root(const struct su_tree_source *source, uint64_t size, struct su_sha256 *ret,
                 struct su_error *err)
{
        int r;

        r = check_size(size, err);
        if (r < 0)
                return r;
        return size == 0 ? su_sha256_of("", 0, ret, err) : hash_range(source, 0, size, ret, err);
}

/* The largest power of two below `n`, which is at least 2. */
static uint64_t split_point(uint64_t n)
{
        return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* Proofs are found from the root down and told from the leaf up. */
static void reverse(struct su_tree_proof *proof)
{
        for (size_t i = 0; i < proof->n / 2; i++) {
                struct su_sha256 hash = proof->hashes[i];

                proof->hashes[i] = proof->hashes[proof->n - 1 - i];
                proof->hashes[proof->n - 1 - i] = hash;
        }
}

int su_tree_prove_inclusion(const struct su_tree_source *source, uint64_t index, uint64_t size,
                            struct su_tree_proof *ret, struct su_error *err)
{
        struct su_tree_proof proof = {.n = 0};
        uint64_t begin = 0;
        uint64_t end = size;
        int r;

        r = check_size(size, err);
        if (r < 0)
                return r;
        if (index >= size)
                return su_fail(err, SU_ERROR_USAGE,
                               "a log of %" PRIu64 " entries has no entry %" PRIu64, size, index);
        while (end - begin > 1) {
                uint64_t middle = begin + split_point(end - begin);
                bool is_left = index < middle;

                r = hash_range(source, is_left ? middle : begin, is_left ? end : middle,
                               proof.hashes + proof.n++, err);
                if (r < 0)
                        return r;
                begin = is_left ? begin : middle;
                end = is_left ? middle : end;
        }
        reverse(&proof);
        *ret = proof;
        return 0;
}

int su_tree_prove_consistency(const struct su_tree_source *source, uint64_t old_size, uint64_t size,
                              struct su_tree_proof *ret, struct su_error *err)
{
        struct su_tree_proof proof = {.n = 0};
        uint64_t begin = 0;
        uint64_t end = size;
        int r;

        r = check_size(size, err);
        if (r < 0)
                return r;
        if (old_size > size)
                return su_fail(err, SU_ERROR_USAGE,
                               "a log of %" PRIu64 " entries has not begun with %" PRIu64, size,
                               old_size);
        while (old_size > 0 && old_size != end) {
                uint64_t middle = begin + split_point(end - begin);
                bool is_left = old_size <= middle;

                r = hash_range(source, is_left ? middle : begin, is_left ? end : middle,
                               proof.hashes + proof.n++, err);
                if (r < 0)
                        return r;
                begin = is_left ? begin : middle;
                end = is_left ? middle : end;
        }
        if (begin > 0) { /* else this is the old root, which is known */
                r = hash_range(source, begin, end, proof.hashes + proof.n++, err);
                if (r < 0)
                        return r;
        }
        reverse(&proof);
        *ret = proof;
        return 0;
}

static int fail_inclusion(uint64_t index, uint64_t size, struct su_error *err)
{
        return su_fail(err, SU_ERROR_NOT_LOGGED,
                       "it is not proven to be entry %" PRIu64 " of the log's %" PRIu64, index,
                       size);
}

/* RFC 9162 section 2.1.3.2, and with its names: `fn` is the place of the node that `hash` is of on
 * its level, `sn` that of the last node. */
int su_tree_verify_inclusion(const struct su_sha256 *leaf, uint64_t index, uint64_t size,
                             const struct su_sha256 *root, const struct su_tree_proof *proof,
                             struct su_error *err)
{
        struct su_sha256 hash = *leaf;
        uint64_t fn = index;
        uint64_t sn = size - 1;

        if (size > SU_LOG_SIZE_MAX || index >= size || proof->n > SU_TREE_PROOF_MAX)
                return fail_inclusion(index, size, err);
        for (size_t i = 0; i < proof->n; i++) {
                bool is_right = fn & 1 || fn == sn;
                int r;

                if (sn == 0)
                        return fail_inclusion(index, size, err);
                r = is_right ? su_tree_hash_node(proof->hashes + i, &hash, &hash, err)
                             : su_tree_hash_node(&hash, proof->hashes + i, &hash, err);
                if (r < 0)
                        return r;
                /* The last node of a level that has no sibling goes up as it is. */
                while (is_right && !(fn & 1) && fn != 0) {
                        fn >>= 1;
                        sn >>= 1;
                }
                fn >>= 1;
                sn >>= 1;
        }
        if (sn != 0 || !su_sha256_equal(&hash, root))
                return fail_inclusion(index, size, err);
        return 0;
}

static int fail_consistency(uint64_t old_size, uint64_t size, struct su_error *err)
{
        return su_fail(err, SU_ERROR_ROLLBACK,
                       "the log of %" PRIu64 " entries is not proven to go on from what it was with"
                       " %" PRIu64,
                       size, old_size);
}

/* RFC 9162 section 2.1.4.2, with 0 < old_size < size. `next` is the first hash that is not yet
 * used; both hashes begin as that of the last complete subtree of the old tree. */
static int verify_growth(uint64_t fn, uint64_t sn, struct su_sha256 *old_hash,
                         struct su_sha256 *new_hash, const struct su_tree_proof *proof, size_t next,
                         bool *ret_complete, struct su_error *err)
{
        for (; next < proof->n; next++) {
                const struct su_sha256 *hash = proof->hashes + next;
                bool is_right = fn & 1 || fn == sn;
                int r = 0;

                if (sn == 0)
                        break;
                if (is_right)
                        r = su_tree_hash_node(hash, old_hash, old_hash, err);
                if (r >= 0)
                        r = is_right ? su_tree_hash_node(hash, new_hash, new_hash, err)
                                     : su_tree_hash_node(new_hash, hash, new_hash, err);
                if (r < 0)
                        return r;
                while (is_right && !(fn & 1) && fn != 0) {
                        fn >>= 1;
                        sn >>= 1;
                }
                fn >>= 1;
                sn >>= 1;
        }
        *ret_complete = sn == 0 && next == proof->n;
        return 0;
}

/* Where one follows from the other without a proof. */
static int verify_trivial(uint64_t old_size, const struct su_sha256 *old_root, uint64_t size,
                          const struct su_sha256 *root, const struct su_tree_proof *proof,
                          struct su_error *err)
{
        struct su_sha256 empty;
        int r;

        r = su_sha256_of("", 0, &empty, err);
        if (r < 0)
                return r;
        if (proof->n > 0 || !su_sha256_equal(old_root, old_size == size ? root : &empty) ||
            (size == 0 && !su_sha256_equal(root, &empty)))
                return fail_consistency(old_size, size, err);
        return 0;
}

int su_tree_verify_consistency(uint64_t old_size, const struct su_sha256 *old_root, uint64_t size,
                               const struct su_sha256 *root, const struct su_tree_proof *proof,
                               struct su_error *err)
{
        bool is_power = (old_size & (old_size - 1)) == 0;
        struct su_sha256 old_hash;
        struct su_sha256 new_hash;
        uint64_t fn = old_size - 1;
        uint64_t sn = size - 1;
        bool complete;
        int r;

        if (size > SU_LOG_SIZE_MAX || old_size > size || proof->n > SU_TREE_PROOF_MAX)
                return fail_consistency(old_size, size, err);
        if (old_size == 0 || old_size == size)
                return verify_trivial(old_size, old_root, size, root, proof, err);
        if (proof->n == 0)
                return fail_consistency(old_size, size, err);
        while (fn & 1) {
                fn >>= 1;
                sn >>= 1;
        }
        old_hash = is_power ? *old_root : proof->hashes[0];
        new_hash = old_hash;
        r = verify_growth(fn, sn, &old_hash, &new_hash, proof, is_power ? 0 : 1, &complete, err);
        if (r < 0)
                return r;
        if (!complete || !su_sha256_equal(&old_hash, old_root) || !su_sha256_equal(&new_hash, root))
                return fail_consistency(old_size, size, err);
        return 0;
}

/* A subtree that becomes complete goes up with its left neighbour, as a carry does. */
int su_tree_edge_add(struct su_tree_edge *edge, const struct su_sha256 *leaf, struct su_error *err)
{
        struct su_sha256 hash = *leaf;
        unsigned height = 0;

        if (edge->n >= SU_LOG_SIZE_MAX)
                return su_fail(err, SU_ERROR_USAGE, "no log has more entries");
        for (; edge->n >> height & 1; height++) {
                int r = su_tree_hash_node(edge->hashes + height, &hash, &hash, err);

                if (r < 0)
                        return r;
        }
        edge->hashes[height] = hash;
        edge->n++;
        return 0;
}

static int read_edge(void *userdata, unsigned height, uint64_t index, struct su_sha256 *ret,
                     struct su_error *err)
{
        const struct su_tree_edge *edge = userdata;

        (void)index; /* there is one that is complete */
        (void)err;
        *ret = edge->hashes[height];
        return 0;
}

int su_tree_edge_root(const struct su_tree_edge *edge, struct su_sha256 *ret, struct su_error *err)
{
        struct su_tree_edge copy = *edge;
        struct su_tree_source source = {.read = read_edge, .userdata = &copy};

        return su_tree_root(&source, edge->n, ret, err);
}

static int read_leaves(void *userdata, unsigned height, uint64_t index, struct su_sha256 *ret,
                       struct su_error *err)
{
        const struct su_tree_leaves *leaves = userdata;
        struct su_tree_edge edge = {.n = 0};
        uint64_t n = height < 63 ? UINT64_C(1) << height : UINT64_MAX;

        if (n > leaves->n || index >= leaves->n >> height)
                return su_fail(err, SU_ERROR_USAGE, "there are only %" PRIu64 " leaves", leaves->n);
        for (uint64_t i = 0; i < n; i++) {
                int r = su_tree_edge_add(&edge, leaves->hashes + index * n + i, err);

                if (r < 0)
                        return r;
        }
        *ret = edge.hashes[height];
        return 0;
}

struct su_tree_source su_tree_source_of_leaves(struct su_tree_leaves *leaves)
{
        return (struct su_tree_source){.read = read_leaves, .userdata = leaves};
}
