#include "support.h"

#include <string.h>

#include "base/text.h"
#include "random.h"
#include "transparency/checkpoint.h"
#include "transparency/tree.h"

/* The tree of the tests of Certificate Transparency (github.com/google/certificate-transparency,
 * merkletree): its leaves, the roots of its first leaves, and proofs. */
static const char *const leaves_hex[] = {
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
};
static const char *const roots_hex[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};
#define LEAVES SU_ELEMENTS(leaves_hex)

struct known_proof {
        uint64_t from; /* index or old size */
        uint64_t size;
        size_t n;
        const char *hashes[3];
};
#define H0 "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
#define H1 "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define H4 "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define H01 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
#define H23 "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define H45 "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
#define H67 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define H03 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define H47 "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
static const struct known_proof inclusions[] = {
        {0, 1, 0, {0}},   {0, 8, 3, {H1, H23, H47}}, {5, 8, 3, {H4, H67, H03}},
        {2, 3, 1, {H01}}, {1, 5, 3, {H0, H23, H4}},
};
static const struct known_proof consistencies[] = {
        {1, 1, 0, {0}},
        {1, 8, 3, {H1, H23, H47}},
        {6, 8, 3, {H45, H67, H03}},
        {2, 5, 2, {H23, H4}},
};

static struct su_sha256 hash_of(const char *hex)
{
        struct su_sha256 hash;

        assert_true(su_hex_decode(hex, hash.bytes, sizeof hash.bytes));
        return hash;
}

static void check_proof(const struct su_tree_proof *proof, const struct known_proof *known)
{
        assert_int_equal(proof->n, known->n);
        for (size_t i = 0; i < known->n; i++) {
                struct su_sha256 wanted = hash_of(known->hashes[i]);

                assert_memory_equal(proof->hashes[i].bytes, wanted.bytes, SU_SHA256_SIZE);
        }
}

static void test_known_tree(void **state)
{
        struct su_sha256 hashes[LEAVES];
        struct su_sha256 roots[LEAVES + 1];
        struct su_tree_leaves leaves = {.hashes = hashes, .n = LEAVES};
        struct su_tree_source source = su_tree_source_of_leaves(&leaves);
        struct su_tree_proof proof;
        struct su_error err = {0};

        (void)state;
        for (size_t i = 0; i < LEAVES; i++) {
                uint8_t data[16];
                size_t size = strlen(leaves_hex[i]) / 2;

                assert_true(su_hex_decode(leaves_hex[i], data, size));
                assert_ok(su_tree_hash_leaf(data, size, hashes + i, &err), err);
        }
        for (size_t n = 0; n <= LEAVES; n++) {
                struct su_sha256 wanted = hash_of(roots_hex[n]);

                assert_ok(su_tree_root(&source, n, roots + n, &err), err);
                assert_memory_equal(roots[n].bytes, wanted.bytes, SU_SHA256_SIZE);
        }
        for (size_t i = 0; i < SU_ELEMENTS(inclusions); i++) {
                const struct known_proof *known = inclusions + i;

                assert_ok(su_tree_prove_inclusion(&source, known->from, known->size, &proof, &err),
                          err);
                check_proof(&proof, known);
                assert_ok(su_tree_verify_inclusion(hashes + known->from, known->from, known->size,
                                                   roots + known->size, &proof, &err),
                          err);
        }
        for (size_t i = 0; i < SU_ELEMENTS(consistencies); i++) {
                const struct known_proof *known = consistencies + i;

                assert_ok(
                        su_tree_prove_consistency(&source, known->from, known->size, &proof, &err),
                        err);
                check_proof(&proof, known);
                assert_ok(su_tree_verify_consistency(known->from, roots + known->from, known->size,
                                                     roots + known->size, &proof, &err),
                          err);
        }
}

/* The definitions of RFC 6962 section 2.1 as they stand there, each range hashed once. */
#define SIZES 300
struct oracle {
        struct su_sha256 ranges[SIZES + 1][SIZES + 1];
        bool known[SIZES + 1][SIZES + 1];
};

static uint64_t largest_power_below(uint64_t n)
{
        uint64_t k = 1;

        while (2 * k < n)
                k *= 2;
        return k;
}

static const struct su_sha256 *mth(struct oracle *oracle, uint64_t begin, uint64_t end)
{
        struct su_sha256 *hash = &oracle->ranges[begin][end];

        if (!oracle->known[begin][end]) {
                uint64_t k = begin + largest_power_below(end - begin);
                uint8_t data[1 + 2 * SU_SHA256_SIZE] = {end - begin > 1, (uint8_t)begin,
                                                        (uint8_t)(begin >> 8)};

                if (end - begin > 1) {
                        memcpy(data + 1, mth(oracle, begin, k)->bytes, SU_SHA256_SIZE);
                        memcpy(data + 33, mth(oracle, k, end)->bytes, SU_SHA256_SIZE);
                }
                assert_int_equal(su_sha256_of(data,
                                              end - begin > 1 ? 65
                                              : end > begin   ? 3
                                                              : 0,
                                              hash, NULL),
                                 0);
                oracle->known[begin][end] = true;
        }
        return hash;
}

static void path(struct oracle *oracle, uint64_t m, uint64_t begin, uint64_t end,
                 struct su_tree_proof *proof)
{
        uint64_t k = begin + largest_power_below(end - begin);

        if (end - begin == 1)
                return;
        path(oracle, m, m < k ? begin : k, m < k ? k : end, proof);
        proof->hashes[proof->n++] = *mth(oracle, m < k ? k : begin, m < k ? end : k);
}

static void subproof(struct oracle *oracle, uint64_t m, uint64_t begin, uint64_t end, bool whole,
                     struct su_tree_proof *proof)
{
        uint64_t k = begin + largest_power_below(end - begin);

        if (m == end) {
                if (!whole)
                        proof->hashes[proof->n++] = *mth(oracle, begin, end);
        } else if (m <= k) {
                subproof(oracle, m, begin, k, whole, proof);
                proof->hashes[proof->n++] = *mth(oracle, k, end);
        } else {
                subproof(oracle, m, k, end, false, proof);
                proof->hashes[proof->n++] = *mth(oracle, begin, k);
        }
}

static int read_oracle(void *userdata, unsigned height, uint64_t index, struct su_sha256 *ret,
                       struct su_error *err)
{
        (void)err;
        *ret = *mth(userdata, index << height, (index + 1) << height);
        return 0;
}

static void check_same(const struct su_tree_proof *a, const struct su_tree_proof *b)
{
        assert_int_equal(a->n, b->n);
        assert_memory_equal(a->hashes, b->hashes, a->n * sizeof a->hashes[0]);
}

static struct oracle *oracle_new(void)
{
        struct oracle *oracle = calloc(1, sizeof *oracle);

        assert_non_null(oracle);
        return oracle;
}

static void test_every_size(void **state)
{
        su_auto_free struct oracle *oracle = oracle_new();
        struct su_tree_source source = {.read = read_oracle, .userdata = oracle};
        struct su_error err = {0};

        (void)state;
        for (uint64_t n = 0; n <= SIZES; n++) {
                const struct su_sha256 *root = mth(oracle, 0, n);
                struct su_sha256 computed;

                assert_ok(su_tree_root(&source, n, &computed, &err), err);
                assert_memory_equal(&computed, root, sizeof computed);
                for (uint64_t i = 0; i < n; i++) {
                        struct su_tree_proof wanted = {.n = 0};
                        struct su_tree_proof proof;

                        path(oracle, i, 0, n, &wanted);
                        assert_ok(su_tree_prove_inclusion(&source, i, n, &proof, &err), err);
                        check_same(&proof, &wanted);
                        assert_ok(su_tree_verify_inclusion(mth(oracle, i, i + 1), i, n, root,
                                                           &proof, &err),
                                  err);
                }
                for (uint64_t old = 0; old <= n; old++) {
                        struct su_tree_proof wanted = {.n = 0};
                        struct su_tree_proof proof;

                        if (old > 0)
                                subproof(oracle, old, 0, n, true, &wanted);
                        assert_ok(su_tree_prove_consistency(&source, old, n, &proof, &err), err);
                        check_same(&proof, &wanted);
                        assert_ok(su_tree_verify_consistency(old, mth(oracle, 0, old), n, root,
                                                             &proof, &err),
                                  err);
                }
        }
}

/* Leaves in memory give the same hashes. */
static void test_leaves(void **state)
{
        su_auto_free struct oracle *oracle = oracle_new();
        struct su_sha256 hashes[70];
        struct su_tree_leaves leaves = {.hashes = hashes, .n = SU_ELEMENTS(hashes)};
        struct su_tree_source source = su_tree_source_of_leaves(&leaves);
        struct su_sha256 hash = {{0}};
        struct su_error err = {0};

        (void)state;
        for (uint64_t i = 0; i < leaves.n; i++)
                hashes[i] = *mth(oracle, i, i + 1);
        for (unsigned height = 0; height < 7; height++)
                for (uint64_t i = 0; (i + 1) << height <= leaves.n; i++) {
                        assert_ok(source.read(&leaves, height, i, &hash, &err), err);
                        assert_memory_equal(&hash, mth(oracle, i << height, (i + 1) << height),
                                            sizeof hash);
                }
        assert_fails(source.read(&leaves, 0, 70, &hash, &err), err, USAGE);
        assert_fails(source.read(&leaves, 6, 1, &hash, &err), err, USAGE);
        assert_fails(source.read(&leaves, 7, 0, &hash, &err), err, USAGE);
        assert_fails(source.read(&leaves, 63, 0, &hash, &err), err, USAGE);
        assert_fails(su_tree_root(&source, 71, &hash, &err), err, USAGE);
}

/* All ways in which a proof can be a little wrong: a bit, a hash too few or too many, two that
 * changed places. `verify` says whether it holds. */
static void check_variations(const struct su_tree_proof *good,
                             bool (*verify)(void *userdata, const struct su_tree_proof *proof),
                             void *userdata, uint64_t *random)
{
        struct su_tree_proof proof = *good;

        assert_true(verify(userdata, &proof));
        for (size_t i = 0; i < good->n; i++) {
                size_t bit = random_below(random, 256);

                proof.hashes[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_false(verify(userdata, &proof));
                proof = *good;
                if (i > 0) {
                        proof.hashes[i] = good->hashes[i - 1];
                        proof.hashes[i - 1] = good->hashes[i];
                        assert_false(verify(userdata, &proof));
                        proof = *good;
                }
                memmove(proof.hashes + i, proof.hashes + i + 1,
                        (good->n - i - 1) * sizeof proof.hashes[0]);
                proof.n--;
                assert_false(verify(userdata, &proof));
                proof = *good;
        }
        for (size_t i = 0; i <= good->n; i++) {
                memmove(proof.hashes + i + 1, proof.hashes + i,
                        (good->n - i) * sizeof proof.hashes[0]);
                proof.hashes[i] = good->hashes[random_below(random, good->n + 1)];
                proof.n++;
                assert_false(verify(userdata, &proof));
                proof = *good;
        }
        proof.n = SU_TREE_PROOF_MAX;
        assert_false(verify(userdata, &proof));
        proof.n = SU_TREE_PROOF_MAX + 1;
        assert_false(verify(userdata, &proof));
}

struct claim {
        const struct su_sha256 *first; /* leaf or old root */
        uint64_t from;                 /* index or old size */
        uint64_t size;
        const struct su_sha256 *root;
};

static bool is_included(void *userdata, const struct su_tree_proof *proof)
{
        const struct claim *claim = userdata;
        struct su_error err = {0};
        int r;

        r = su_tree_verify_inclusion(claim->first, claim->from, claim->size, claim->root, proof,
                                     &err);
        if (r < 0)
                assert_int_equal(err.code, SU_ERROR_NOT_LOGGED);
        return r >= 0;
}

static bool is_consistent(void *userdata, const struct su_tree_proof *proof)
{
        const struct claim *claim = userdata;
        struct su_error err = {0};
        int r;

        r = su_tree_verify_consistency(claim->from, claim->first, claim->size, claim->root, proof,
                                       &err);
        if (r < 0)
                assert_int_equal(err.code, SU_ERROR_ROLLBACK);
        return r >= 0;
}

#define SMALL 40
static void test_wrong_inclusion(void **state)
{
        su_auto_free struct oracle *oracle = oracle_new();
        struct su_tree_source source = {.read = read_oracle, .userdata = oracle};
        uint64_t random = 1;

        (void)state;
        for (uint64_t n = 1; n <= SMALL; n++)
                for (uint64_t i = 0; i < n; i++) {
                        struct su_tree_proof proof;
                        struct claim claim = {mth(oracle, i, i + 1), i, n, mth(oracle, 0, n)};
                        struct claim wrong = claim;

                        assert_int_equal(su_tree_prove_inclusion(&source, i, n, &proof, NULL), 0);
                        check_variations(&proof, is_included, &claim, &random);
                        for (uint64_t other = 0; other < SMALL + 5; other++) {
                                if (other == i)
                                        continue;
                                wrong = claim; /* the same entry elsewhere */
                                wrong.from = other;
                                assert_false(is_included(&wrong, &proof));
                                wrong = claim; /* another entry here */
                                wrong.first = mth(oracle, other, other + 1);
                                assert_false(is_included(&wrong, &proof));
                        }
                        for (uint64_t other = 0; other < SMALL + 5; other++) {
                                if (other == n)
                                        continue;
                                wrong = claim; /* the tree of another size */
                                wrong.size = other;
                                wrong.root = mth(oracle, 0, other);
                                assert_false(is_included(&wrong, &proof));
                                wrong.size = n;
                                assert_false(is_included(&wrong, &proof));
                        }
                        wrong = claim;
                        wrong.from = UINT64_MAX;
                        assert_false(is_included(&wrong, &proof));
                        wrong = claim;
                        wrong.size = SU_LOG_SIZE_MAX + n;
                        assert_false(is_included(&wrong, &proof));
                }
}

static void test_wrong_consistency(void **state)
{
        su_auto_free struct oracle *oracle = oracle_new();
        struct su_tree_source source = {.read = read_oracle, .userdata = oracle};
        uint64_t random = 1;

        (void)state;
        for (uint64_t n = 0; n <= SMALL; n++)
                for (uint64_t old = 0; old <= n; old++) {
                        struct su_tree_proof proof;
                        struct claim claim = {mth(oracle, 0, old), old, n, mth(oracle, 0, n)};
                        struct claim wrong = claim;

                        assert_int_equal(su_tree_prove_consistency(&source, old, n, &proof, NULL),
                                         0);
                        check_variations(&proof, is_consistent, &claim, &random);
                        for (uint64_t other = 0; other < SMALL + 5; other++) {
                                wrong = claim;
                                wrong.first = mth(oracle, 0, other);
                                if (other != old)
                                        assert_false(is_consistent(&wrong, &proof));
                                wrong = claim;
                                wrong.root = mth(oracle, 0, other);
                                if (other != n && old > 0)
                                        assert_false(is_consistent(&wrong, &proof));
                        }
                        if (old < n) { /* back in time */
                                wrong = (struct claim){claim.root, n, old, claim.first};
                                assert_false(is_consistent(&wrong, &proof));
                        }
                        wrong = claim;
                        wrong.size = SU_LOG_SIZE_MAX + 1 + n;
                        assert_false(is_consistent(&wrong, &proof));
                }
}

/* A log that says one thing to some and another to others: two trees that differ in one entry. */
static void test_fork(void **state)
{
        su_auto_free struct oracle *one = oracle_new();
        su_auto_free struct oracle *other = oracle_new();
        struct su_tree_source source = {.read = read_oracle, .userdata = other};
        const uint64_t differs = 17;

        (void)state;
        (void)mth(other, differs, differs + 1);
        other->ranges[differs][differs + 1].bytes[5] ^= 1;
        for (uint64_t old = 0; old <= 40; old++)
                for (uint64_t n = old; n <= 40; n++) {
                        struct su_tree_proof proof;
                        struct claim claim = {mth(one, 0, old), old, n, mth(other, 0, n)};

                        assert_int_equal(su_tree_prove_consistency(&source, old, n, &proof, NULL),
                                         0);
                        assert_int_equal(is_consistent(&claim, &proof), old <= differs);
                }
}

/* A proof that goes on above the root, with a root that would follow from it. */
static void test_too_long(void **state)
{
        su_auto_free struct oracle *oracle = oracle_new();
        struct su_tree_source source = {.read = read_oracle, .userdata = oracle};
        const struct su_sha256 *more = mth(oracle, 100, 101);

        (void)state;
        for (uint64_t n = 1; n <= SMALL; n++)
                for (uint64_t i = 0; i < n; i++)
                        for (unsigned left = 0; left < 2; left++) {
                                const struct su_sha256 *root = mth(oracle, 0, n);
                                struct su_sha256 above;
                                struct su_tree_proof proof;
                                struct claim claim = {mth(oracle, i, i + 1), i, n, &above};

                                assert_int_equal(su_tree_hash_node(left ? more : root,
                                                                   left ? root : more, &above,
                                                                   NULL),
                                                 0);
                                assert_int_equal(
                                        su_tree_prove_inclusion(&source, i, n, &proof, NULL), 0);
                                proof.hashes[proof.n++] = *more;
                                assert_false(is_included(&claim, &proof));
                                if (i == 0)
                                        continue;
                                claim.first = mth(oracle, 0, i);
                                assert_int_equal(
                                        su_tree_prove_consistency(&source, i, n, &proof, NULL), 0);
                                proof.hashes[proof.n++] = *more;
                                assert_false(is_consistent(&claim, &proof));
                        }
}

/* Trees of any size: all leaves are the same but one, so that a subtree's hash follows from its
 * height and from whether that one is in it. */
struct huge {
        struct su_sha256 plain[64];
        struct su_sha256 special; /* the leaf */
        uint64_t at;
};

static int read_huge(void *userdata, unsigned height, uint64_t index, struct su_sha256 *ret,
                     struct su_error *err)
{
        const struct huge *huge = userdata;
        int r = 0;

        *ret = huge->special;
        if (huge->at >> height != index)
                *ret = huge->plain[height];
        else
                for (unsigned h = 0; r >= 0 && h < height; h++)
                        r = huge->at >> h & 1 ? su_tree_hash_node(huge->plain + h, ret, ret, err)
                                              : su_tree_hash_node(ret, huge->plain + h, ret, err);
        return r;
}

static void huge_init(struct huge *huge)
{
        assert_int_equal(su_tree_hash_leaf("plain", 5, huge->plain, NULL), 0);
        assert_int_equal(su_tree_hash_leaf("special", 7, &huge->special, NULL), 0);
        for (unsigned h = 1; h < 64; h++)
                assert_int_equal(su_tree_hash_node(huge->plain + h - 1, huge->plain + h - 1,
                                                   huge->plain + h, NULL),
                                 0);
}

static void check_huge(struct huge *huge, uint64_t size, uint64_t at, uint64_t old_size)
{
        struct su_tree_source source = {.read = read_huge, .userdata = huge};
        struct su_tree_proof proof;
        struct su_sha256 old_root;
        struct su_sha256 root;
        struct su_error err = {0};
        struct claim claim;

        huge->at = at;
        assert_ok(su_tree_root(&source, size, &root, &err), err);
        assert_ok(su_tree_root(&source, old_size, &old_root, &err), err);
        assert_ok(su_tree_prove_inclusion(&source, at, size, &proof, &err), err);
        claim = (struct claim){&huge->special, at, size, &root};
        assert_true(is_included(&claim, &proof));
        assert_true(proof.n <= 63);
        claim.from = at ^ 1;
        if (size > 1)
                assert_false(is_included(&claim, &proof));
        claim.from = at;
        claim.first = huge->plain;
        assert_false(is_included(&claim, &proof));
        assert_ok(su_tree_prove_consistency(&source, old_size, size, &proof, &err), err);
        claim = (struct claim){&old_root, old_size, size, &root};
        assert_true(is_consistent(&claim, &proof));
        if (old_size > 0 && old_size < size) {
                old_root.bytes[0] ^= 1;
                assert_false(is_consistent(&claim, &proof));
        }
}

static void test_huge_sizes(void **state)
{
        static const uint64_t sizes[] = {65535,
                                         65536,
                                         65537,
                                         70000,
                                         UINT64_C(1) << 32,
                                         (UINT64_C(1) << 32) + 1,
                                         (UINT64_C(1) << 40) - 1,
                                         (UINT64_C(1) << 62) + 1,
                                         SU_LOG_SIZE_MAX - 1,
                                         SU_LOG_SIZE_MAX};
        struct huge huge = {.at = 0};
        uint64_t random = 7;

        (void)state;
        huge_init(&huge);
        for (size_t i = 0; i < SU_ELEMENTS(sizes); i++) {
                check_huge(&huge, sizes[i], 0, 0);
                check_huge(&huge, sizes[i], sizes[i] - 1, 1);
                check_huge(&huge, sizes[i], sizes[i] / 2, sizes[i]);
                check_huge(&huge, sizes[i], sizes[i] / 2, sizes[i] - 1);
                for (unsigned k = 0; k < 20; k++)
                        check_huge(&huge, sizes[i], random_wide(&random) % sizes[i],
                                   random_wide(&random) % sizes[i]);
        }
}

static void test_out_of_range(void **state)
{
        su_auto_free struct oracle *oracle = oracle_new();
        struct su_tree_source source = {.read = read_oracle, .userdata = oracle};
        struct su_tree_proof proof = {.n = 77};
        struct su_sha256 root = {{77}};
        struct su_error err = {0};

        (void)state;
        assert_fails(su_tree_prove_inclusion(&source, 5, 5, &proof, &err), err, USAGE);
        assert_fails(su_tree_prove_inclusion(&source, 0, 0, &proof, &err), err, USAGE);
        assert_fails(su_tree_prove_inclusion(&source, 0, SU_LOG_SIZE_MAX + 1, &proof, &err), err,
                     USAGE);
        assert_fails(su_tree_prove_consistency(&source, 6, 5, &proof, &err), err, USAGE);
        assert_fails(su_tree_prove_consistency(&source, 1, SU_LOG_SIZE_MAX + 1, &proof, &err), err,
                     USAGE);
        assert_fails(su_tree_root(&source, SU_LOG_SIZE_MAX + 1, &root, &err), err, USAGE);
        assert_int_equal(proof.n, 77);
        assert_int_equal(root.bytes[0], 77);
}

static int read_fails(void *userdata, unsigned height, uint64_t index, struct su_sha256 *ret,
                      struct su_error *err)
{
        unsigned *left = userdata;

        if ((*left)-- == 0)
                return su_fail(err, SU_ERROR_NOT_FOUND, "gone");
        memset(ret, (int)(height + index), sizeof *ret);
        return 0;
}

/* What the source says is what is said, whichever read it was. */
static void test_source_fails(void **state)
{
        struct su_error err = {0};
        unsigned left;
        struct su_tree_source source = {.read = read_fails, .userdata = &left};
        struct su_tree_proof proof;
        struct su_sha256 root;

        (void)state;
        for (unsigned fails_at = 0; fails_at < 3; fails_at++) {
                left = fails_at;
                assert_fails(su_tree_root(&source, 7, &root, &err), err, NOT_FOUND);
                left = fails_at;
                assert_fails(su_tree_prove_inclusion(&source, 0, 7, &proof, &err), err, NOT_FOUND);
                left = fails_at;
                assert_fails(su_tree_prove_consistency(&source, 3, 7, &proof, &err), err,
                             NOT_FOUND);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_known_tree),
                cmocka_unit_test(test_every_size),
                cmocka_unit_test(test_leaves),
                cmocka_unit_test(test_wrong_inclusion),
                cmocka_unit_test(test_wrong_consistency),
                cmocka_unit_test(test_fork),
                cmocka_unit_test(test_too_long),
                cmocka_unit_test(test_huge_sizes),
                cmocka_unit_test(test_out_of_range),
                cmocka_unit_test(test_source_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
