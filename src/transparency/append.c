#include "transparency/append.h"

#include <inttypes.h>
#include <string.h>

#include "transparency/checkpoint.h"

#define LEVELS 8 /* of SU_LOG_SIZE_MAX entries */

/* The tile of a level that is not yet full. */
struct edge {
        struct su_sha256 hashes[SU_TILE_WIDTH];
        unsigned n;
        bool changed;
};

struct growth {
        const struct su_tiles_writer *writer;
        uint64_t size;
        struct edge edges[LEVELS];
        char *bundle; /* its entries are as many as the hashes of the lowest edge */
        size_t bundle_size;
        size_t bundle_room;
};

static void growth_free_p(struct growth **growth)
{
        if (!*growth)
                return;
        free((*growth)->bundle);
        free(*growth);
}

static int put(const struct growth *growth, const struct su_tile *tile, const void *data,
               size_t size, struct su_error *err)
{
        char path[SU_TILE_PATH_SIZE];

        su_tile_path(tile, path);
        return growth->writer->put(growth->writer->userdata, path, data, size, err);
}

/* The entries that the tile at the edge of `level` has; at level 0 with those entries. */
static int put_edge(struct growth *growth, unsigned level, uint64_t index, struct su_error *err)
{
        const struct edge *edge = growth->edges + level;
        struct su_tile tile = {.level = level, .index = index, .width = edge->n};
        uint8_t data[SU_TILE_SIZE_MAX];
        int r = 0;

        for (unsigned i = 0; i < edge->n; i++)
                memcpy(data + i * SU_SHA256_SIZE, edge->hashes[i].bytes, SU_SHA256_SIZE);
        if (level == 0) {
                tile.entries = true;
                r = put(growth, &tile, growth->bundle, growth->bundle_size, err);
                tile.entries = false;
        }
        return r < 0 ? r : put(growth, &tile, data, su_tile_size_max(&tile), err);
}

/* Add a hash to a level. A tile that is full then is written, and is one hash of the level above.
 * `growth->size` is that with the leaf which this is about. */
static int add_hash(struct growth *growth, struct su_sha256 hash, struct su_error *err)
{
        for (unsigned level = 0;; level++) {
                struct edge *edge = growth->edges + level;
                struct su_tree_leaves leaves = {.hashes = edge->hashes, .n = SU_TILE_WIDTH};
                struct su_tree_source source = su_tree_source_of_leaves(&leaves);
                int r;

                edge->hashes[edge->n++] = hash;
                edge->changed = true;
                if (edge->n < SU_TILE_WIDTH)
                        return 0;
                r = put_edge(growth, level, su_tile_hashes(level, growth->size) / SU_TILE_WIDTH - 1,
                             err);
                if (r >= 0)
                        r = su_tree_root(&source, SU_TILE_WIDTH, &hash, err);
                if (r < 0)
                        return r;
                edge->n = 0;
                edge->changed = false;
                if (level == 0)
                        growth->bundle_size = 0;
        }
}

/* At most SU_BUNDLE_SIZE_MAX, which few logs need. */
static int make_room(struct growth *growth, size_t size, struct su_error *err)
{
        size_t room = growth->bundle_room;
        char *bundle;

        while (room < size)
                room += room / 2 + 4096;
        if (room == growth->bundle_room)
                return 0;
        bundle = realloc(growth->bundle, room);
        if (!bundle)
                return su_fail_oom(err);
        growth->bundle = bundle;
        growth->bundle_room = room;
        return 0;
}

static int add_to_bundle(struct growth *growth, const struct su_log_entry *entry,
                         struct su_error *err)
{
        char *end;
        int r;

        r = make_room(growth, growth->bundle_size + 2 + entry->size, err);
        if (r < 0)
                return r;
        end = growth->bundle + growth->bundle_size;
        end[0] = (char)(entry->size >> 8);
        end[1] = (char)(entry->size & 255);
        if (entry->size > 0)
                memcpy(end + 2, entry->data, entry->size);
        growth->bundle_size += 2 + entry->size;
        return 0;
}

static int add_entry(struct growth *growth, const struct su_log_entry *entry, struct su_error *err)
{
        struct su_sha256 hash;
        int r;

        r = su_tree_hash_leaf(entry->data, entry->size, &hash, err);
        if (r >= 0)
                r = add_to_bundle(growth, entry, err);
        if (r < 0)
                return r;
        growth->size++;
        return add_hash(growth, hash, err);
}

static int put_partial(struct growth *growth, struct su_error *err)
{
        for (unsigned level = 0; level < LEVELS; level++) {
                int r;

                if (growth->edges[level].n == 0 || !growth->edges[level].changed)
                        continue;
                r = put_edge(growth, level, su_tile_hashes(level, growth->size) / SU_TILE_WIDTH,
                             err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* All complete subtrees that the root is made of are within the tiles at the edge. */
static int read_edge(void *userdata, unsigned height, uint64_t index, struct su_sha256 *ret,
                     struct su_error *err)
{
        const struct growth *growth = userdata;
        unsigned above = height % SU_TILE_HEIGHT;
        const struct edge *edge = growth->edges + height / SU_TILE_HEIGHT;
        struct su_tree_leaves leaves = {.hashes = edge->hashes + (index << above) % SU_TILE_WIDTH,
                                        .n = UINT64_C(1) << above};
        struct su_tree_source source = su_tree_source_of_leaves(&leaves);

        return source.read(&leaves, above, 0, ret, err);
}

/* What the old log has at its right edge, all of it proven by its root but for the entries, which
 * are what their hashes say. */
static int read_old(struct su_tiles *tiles, struct growth *growth, struct su_error *err)
{
        struct su_tree_source source = su_tiles_source(tiles);
        struct su_log_entry entries[SU_TILE_WIDTH];
        su_auto_free char *data = NULL;
        unsigned n = 0;
        int r;

        r = su_tiles_verify_root(tiles, err);
        for (unsigned level = 0; r >= 0 && level < LEVELS; level++) {
                struct edge *edge = growth->edges + level;
                uint64_t hashes = su_tile_hashes(level, growth->size);

                for (edge->n = 0; r >= 0 && edge->n < hashes % SU_TILE_WIDTH; edge->n++)
                        r = source.read(source.userdata, SU_TILE_HEIGHT * level,
                                        hashes - hashes % SU_TILE_WIDTH + edge->n,
                                        edge->hashes + edge->n, err);
        }
        if (r >= 0 && growth->edges[0].n > 0)
                r = su_tiles_read_bundle(tiles, growth->size / SU_TILE_WIDTH, &data, entries, &n,
                                         err);
        for (unsigned i = 0; r >= 0 && i < n; i++)
                r = add_to_bundle(growth, entries + i, err);
        return r;
}

static int check_entries(uint64_t old_size, const struct su_log_entry *entries, size_t n,
                         struct su_error *err)
{
        if (old_size > SU_LOG_SIZE_MAX || n > SU_LOG_SIZE_MAX - old_size)
                return su_fail(err, SU_ERROR_TOO_LARGE, "no log has so many entries");
        for (size_t i = 0; i < n; i++)
                if (entries[i].size > SU_LOG_ENTRY_SIZE_MAX)
                        return su_fail(err, SU_ERROR_TOO_LARGE,
                                       "an entry of %zu bytes is too large for a log, which "
                                       "takes %d",
                                       entries[i].size, SU_LOG_ENTRY_SIZE_MAX);
        return 0;
}

int su_tiles_append(const struct su_tiles_reader *reader, const struct su_tiles_writer *writer,
                    uint64_t old_size, const struct su_sha256 *old_root,
                    const struct su_log_entry *entries, size_t n, struct su_sha256 *ret_root,
                    struct su_error *err)
{
        su_auto(growth_free_p) struct growth *growth = NULL;
        su_auto_tiles struct su_tiles *tiles = NULL;
        struct su_tree_source source;
        int r;

        r = check_entries(old_size, entries, n, err);
        if (r >= 0)
                r = su_tiles_open(reader, old_size, old_root, &tiles, err);
        if (r < 0)
                return r;
        growth = calloc(1, sizeof *growth);
        if (!growth)
                return su_fail_oom(err);
        growth->writer = writer;
        growth->size = old_size;
        r = read_old(tiles, growth, err);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_entry(growth, entries + i, err);
        if (r >= 0)
                r = put_partial(growth, err);
        if (r < 0)
                return r;
        source = (struct su_tree_source){.read = read_edge, .userdata = growth};
        return su_tree_root(&source, growth->size, ret_root, err);
}
