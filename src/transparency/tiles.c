#include "transparency/tiles.h"

#include <inttypes.h>
#include <string.h>

#include "transparency/checkpoint.h"

/* A proof reads two tiles a level, and those on the right edge again. */
#define KEPT 32

struct kept_tile {
        struct su_tile tile;
        struct su_sha256 *hashes; /* `tile.width` of them */
};

struct su_tiles {
        struct su_tiles_reader reader;
        uint64_t size;
        struct su_sha256 root;
        struct kept_tile kept[KEPT];
        size_t next; /* which is given up for the next tile */
};

int su_tiles_open(const struct su_tiles_reader *reader, uint64_t size, const struct su_sha256 *root,
                  struct su_tiles **ret, struct su_error *err)
{
        struct su_tiles *tiles;

        if (size > SU_LOG_SIZE_MAX)
                return su_fail(err, SU_ERROR_USAGE, "no log has %" PRIu64 " entries", size);
        tiles = calloc(1, sizeof *tiles);
        if (!tiles)
                return su_fail_oom(err);
        tiles->reader = *reader;
        tiles->size = size;
        tiles->root = *root;
        *ret = tiles;
        return 0;
}

void su_tiles_free(struct su_tiles *tiles)
{
        if (!tiles)
                return;
        for (size_t i = 0; i < KEPT; i++)
                free(tiles->kept[i].hashes);
        free(tiles);
}

static int get_file(struct su_tiles *tiles, const struct su_tile *tile, char **ret_data,
                    size_t *ret_size, struct su_error *err)
{
        su_auto_free char *data = NULL;
        char path[SU_TILE_PATH_SIZE];
        size_t max = su_tile_size_max(tile);
        size_t size;
        int r;

        su_tile_path(tile, path);
        r = tiles->reader.get(tiles->reader.userdata, path, max, &data, &size, err);
        if (r < 0)
                return r;
        if (size > max)
                return su_fail(err, SU_ERROR_TOO_LARGE, "'%s' has %zu bytes, not %zu at most", path,
                               size, max);
        if (!tile->entries && size < max)
                return su_fail(err, SU_ERROR_TRUNCATED, "'%s' has %zu bytes, not %zu", path, size,
                               max);
        *ret_data = su_take(data);
        *ret_size = size;
        return 0;
}

/* Logs may delete partial tiles once there is the full one (C2SP tlog-tiles, "Partial Tiles"); what
 * came later stands behind what is wanted. `ret_width`: of the file that it is from. */
static int get_tile(struct su_tiles *tiles, const struct su_tile *tile, char **ret_data,
                    size_t *ret_size, unsigned *ret_width, struct su_error *err)
{
        struct su_tile full = *tile;
        struct su_error why = {0};
        struct su_error why_full = {0};
        int r_full;
        int r;

        *ret_width = tile->width;
        r = get_file(tiles, tile, ret_data, ret_size, &why);
        if (r < 0 && why.code == SU_ERROR_NOT_FOUND && tile->width < SU_TILE_WIDTH) {
                *ret_width = full.width = SU_TILE_WIDTH;
                r_full = get_file(tiles, &full, ret_data, ret_size, &why_full);
                if (r_full >= 0)
                        return 0;
                if (why_full.code != SU_ERROR_NOT_FOUND) {
                        why = why_full;
                        r = r_full;
                }
        }
        if (r < 0 && err)
                *err = why;
        return r;
}

static int load_tile(struct su_tiles *tiles, unsigned level, uint64_t index,
                     const struct kept_tile **ret, struct su_error *err)
{
        struct kept_tile *kept = tiles->kept + tiles->next;
        su_auto_free char *data = NULL;
        struct su_tile tile;
        unsigned width;
        size_t size;
        int r;

        for (size_t i = 0; i < KEPT; i++)
                if (tiles->kept[i].hashes && tiles->kept[i].tile.level == level &&
                    tiles->kept[i].tile.index == index) {
                        *ret = tiles->kept + i;
                        return 0;
                }
        if (!su_tile_in_tree(false, level, index, tiles->size, &tile))
                return su_fail(err, SU_ERROR_USAGE, "a log of %" PRIu64 " entries has no such tile",
                               tiles->size);
        r = get_tile(tiles, &tile, &data, &size, &width, err);
        if (r < 0)
                return r;
        free(kept->hashes);
        *kept = (struct kept_tile){.tile = tile,
                                   .hashes = calloc(tile.width, sizeof *kept->hashes)};
        if (!kept->hashes)
                return su_fail_oom(err);
        for (unsigned i = 0; i < tile.width; i++)
                memcpy(kept->hashes[i].bytes, data + i * SU_SHA256_SIZE, SU_SHA256_SIZE);
        tiles->next = (tiles->next + 1) % KEPT;
        *ret = kept;
        return 0;
}

/* The hash of a subtree is in a tile when its height is a multiple of a tile's; else it follows
 * from its leaves within a tile. */
static int read_subtree(void *userdata, unsigned height, uint64_t index, struct su_sha256 *ret,
                        struct su_error *err)
{
        struct su_tiles *tiles = userdata;
        unsigned level = height / SU_TILE_HEIGHT;
        unsigned above = height % SU_TILE_HEIGHT;
        const struct kept_tile *kept;
        struct su_tree_leaves leaves;
        struct su_tree_source source = su_tree_source_of_leaves(&leaves);
        uint64_t first;
        int r;

        if (index >= su_tile_hashes(level, tiles->size) >> above)
                return su_fail(err, SU_ERROR_USAGE,
                               "a log of %" PRIu64 " entries has no such subtree", tiles->size);
        first = index << above;
        r = load_tile(tiles, level, first / SU_TILE_WIDTH, &kept, err);
        if (r < 0)
                return r;
        leaves = (struct su_tree_leaves){.hashes = kept->hashes + first % SU_TILE_WIDTH,
                                         .n = UINT64_C(1) << above};
        return source.read(&leaves, above, 0, ret, err);
}

struct su_tree_source su_tiles_source(struct su_tiles *tiles)
{
        return (struct su_tree_source){.read = read_subtree, .userdata = tiles};
}

static int fail_tiles(const struct su_tiles *tiles, struct su_error *err)
{
        return su_fail(err, SU_ERROR_DIGEST,
                       "the log's files do not have the root of its checkpoint of %" PRIu64
                       " entries",
                       tiles->size);
}

int su_tiles_verify_root(struct su_tiles *tiles, struct su_error *err)
{
        struct su_tree_source source = su_tiles_source(tiles);
        struct su_sha256 root;
        int r;

        r = su_tree_root(&source, tiles->size, &root, err);
        if (r < 0)
                return r;
        return su_sha256_equal(&root, &tiles->root) ? 0 : fail_tiles(tiles, err);
}

int su_tiles_prove_inclusion(struct su_tiles *tiles, uint64_t index, struct su_tree_proof *ret,
                             struct su_sha256 *ret_leaf, struct su_error *err)
{
        struct su_tree_source source = su_tiles_source(tiles);
        struct su_error why = {0};
        struct su_tree_proof proof;
        struct su_sha256 leaf;
        int r;

        r = su_tree_prove_inclusion(&source, index, tiles->size, &proof, err);
        if (r >= 0)
                r = source.read(source.userdata, 0, index, &leaf, err);
        if (r < 0)
                return r;
        r = su_tree_verify_inclusion(&leaf, index, tiles->size, &tiles->root, &proof, &why);
        if (r < 0 && why.code == SU_ERROR_NOT_LOGGED)
                return fail_tiles(tiles, err);
        if (r < 0)
                return su_fail(err, why.code, "%s", why.message);
        *ret = proof;
        if (ret_leaf)
                *ret_leaf = leaf;
        return 0;
}

int su_tiles_prove_consistency(struct su_tiles *tiles, uint64_t old_size,
                               const struct su_sha256 *old_root, struct su_tree_proof *ret,
                               struct su_error *err)
{
        struct su_tree_source source = su_tiles_source(tiles);
        struct su_error why = {0};
        struct su_tree_proof proof;
        struct su_sha256 root;
        int r;

        r = su_tree_prove_consistency(&source, old_size, tiles->size, &proof, err);
        if (r >= 0)
                r = su_tree_root(&source, old_size, &root, err);
        if (r < 0)
                return r;
        r = su_tree_verify_consistency(old_size, &root, tiles->size, &tiles->root, &proof, &why);
        if (r < 0 && why.code == SU_ERROR_ROLLBACK)
                return fail_tiles(tiles, err);
        if (r < 0)
                return su_fail(err, why.code, "%s", why.message);
        if (old_root && !su_sha256_equal(old_root, &root))
                return su_fail(err, SU_ERROR_ROLLBACK,
                               "the log of %" PRIu64 " entries has not begun with those %" PRIu64
                               " that the old root says",
                               tiles->size, old_size);
        *ret = proof;
        return 0;
}

static int check_entry(struct su_tiles *tiles, uint64_t index, const struct su_log_entry *entry,
                       struct su_error *err)
{
        struct su_sha256 wanted;
        struct su_sha256 leaf;
        int r;

        r = read_subtree(tiles, 0, index, &wanted, err);
        if (r >= 0)
                r = su_tree_hash_leaf(entry->data, entry->size, &leaf, err);
        if (r < 0)
                return r;
        if (!su_sha256_equal(&leaf, &wanted))
                return su_fail(err, SU_ERROR_DIGEST,
                               "entry %" PRIu64 " of the log is not what its hash says", index);
        return 0;
}

int su_tiles_read_bundle(struct su_tiles *tiles, uint64_t index, char **ret_data,
                         struct su_log_entry ret_entries[SU_TILE_WIDTH], unsigned *ret_n,
                         struct su_error *err)
{
        su_auto_free char *data = NULL;
        struct su_tile tile;
        unsigned width;
        size_t size = 0;
        int r;

        if (!su_tile_in_tree(true, 0, index, tiles->size, &tile))
                return su_fail(err, SU_ERROR_USAGE,
                               "a log of %" PRIu64 " entries has no bundle %" PRIu64, tiles->size,
                               index);
        r = get_tile(tiles, &tile, &data, &size, &width, err);
        if (r >= 0)
                r = su_bundle_parse(data, size, width, ret_entries, err);
        for (unsigned i = 0; r >= 0 && i < tile.width; i++)
                r = check_entry(tiles, index * SU_TILE_WIDTH + i, ret_entries + i, err);
        if (r < 0)
                return r;
        *ret_data = su_take(data);
        *ret_n = tile.width;
        return 0;
}

int su_tiles_read_entry(struct su_tiles *tiles, uint64_t index, void **ret_data, size_t *ret_size,
                        struct su_error *err)
{
        struct su_log_entry entries[SU_TILE_WIDTH];
        const struct su_log_entry *entry = entries + index % SU_TILE_WIDTH;
        struct su_tree_proof proof;
        su_auto_free char *data = NULL;
        struct su_sha256 proven;
        struct su_sha256 leaf;
        void *copy;
        unsigned n;
        int r;

        r = su_tiles_prove_inclusion(tiles, index, &proof, &proven, err);
        if (r >= 0)
                r = su_tiles_read_bundle(tiles, index / SU_TILE_WIDTH, &data, entries, &n, err);
        if (r >= 0)
                r = su_tree_hash_leaf(entry->data, entry->size, &leaf, err);
        if (r < 0)
                return r;
        if (!su_sha256_equal(&leaf, &proven)) /* the tile was another when it was read again */
                return fail_tiles(tiles, err);
        copy = malloc(entry->size + 1);
        if (!copy)
                return su_fail_oom(err);
        memcpy(copy, entry->data, entry->size);
        *ret_data = copy;
        *ret_size = entry->size;
        return 0;
}

struct verification {
        struct su_tiles *tiles;
        su_tiles_visit_entry visit; /* or NULL */
        void *userdata;
        /* Of the entries themselves: a tile may be another each time that it is read. */
        struct su_tree_edge edge;
};

static int verify_entry(struct verification *verification, uint64_t index,
                        const struct su_log_entry *entry, struct su_error *err)
{
        struct su_sha256 leaf;
        int r;

        r = su_tree_hash_leaf(entry->data, entry->size, &leaf, err);
        if (r >= 0)
                r = su_tree_edge_add(&verification->edge, &leaf, err);
        if (r >= 0 && verification->visit)
                r = verification->visit(verification->userdata, index, entry, err);
        return r;
}

static int verify_bundle(struct verification *verification, const struct su_tile *tile,
                         struct su_error *err)
{
        struct su_log_entry entries[SU_TILE_WIDTH];
        su_auto_free char *data = NULL;
        unsigned n = 0;
        int r;

        r = su_tiles_read_bundle(verification->tiles, tile->index, &data, entries, &n, err);
        for (unsigned i = 0; r >= 0 && i < n; i++)
                r = verify_entry(verification, tile->index * SU_TILE_WIDTH + i, entries + i, err);
        return r;
}

/* Each hash is the root of the full tile below. */
static int verify_above(struct su_tiles *tiles, const struct su_tile *tile, struct su_error *err)
{
        for (unsigned i = 0; i < tile->width; i++) {
                uint64_t index = tile->index * SU_TILE_WIDTH + i;
                const struct kept_tile *below;
                struct su_tree_leaves leaves;
                struct su_tree_source source = su_tree_source_of_leaves(&leaves);
                struct su_sha256 wanted;
                struct su_sha256 root;
                int r;

                r = read_subtree(tiles, tile->level * SU_TILE_HEIGHT, index, &wanted, err);
                if (r >= 0)
                        r = load_tile(tiles, tile->level - 1, index, &below, err);
                if (r < 0)
                        return r;
                leaves = (struct su_tree_leaves){.hashes = below->hashes, .n = SU_TILE_WIDTH};
                r = su_tree_root(&source, SU_TILE_WIDTH, &root, err);
                if (r < 0)
                        return r;
                if (!su_sha256_equal(&root, &wanted))
                        return su_fail(err, SU_ERROR_DIGEST,
                                       "tile %" PRIu64 " of level %u is not what the one above "
                                       "says",
                                       index, tile->level - 1);
        }
        return 0;
}

static int verify_tile(void *userdata, const struct su_tile *tile, struct su_error *err)
{
        struct verification *verification = userdata;

        if (tile->entries)
                return verify_bundle(verification, tile, err);
        return tile->level > 0 ? verify_above(verification->tiles, tile, err) : 0;
}

int su_tiles_verify_all(struct su_tiles *tiles, su_tiles_visit_entry visit, void *userdata,
                        struct su_error *err)
{
        struct verification verification = {.tiles = tiles, .visit = visit, .userdata = userdata};
        struct su_sha256 root;
        int r;

        r = su_tiles_verify_root(tiles, err);
        if (r >= 0)
                r = su_tile_list(0, tiles->size, verify_tile, &verification, err);
        if (r >= 0)
                r = su_tree_edge_root(&verification.edge, &root, err);
        if (r < 0)
                return r;
        return su_sha256_equal(&root, &tiles->root) ? 0 : fail_tiles(tiles, err);
}
