/* Where a log's static files lie and what is in each (C2SP tlog-tiles), below the log's prefix:
 *
 *     tile/LEVEL/INDEX            256 hashes of 32 bytes, each of a complete subtree of the height
 *                                 8 * LEVEL; LEVEL is 0 to 63
 *     tile/entries/INDEX          256 entries, each after its size in two bytes, big-endian
 *     tile/.../INDEX.p/WIDTH      the same, of 1 to 255: the right edge of a tree
 *
 * INDEX is in groups of three digits, all but the last after an 'x': 1234067 is x001/x234/067.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "crypto/sha256.h"

#define SU_TILE_HEIGHT 8
#define SU_TILE_WIDTH 256 /* hashes or entries, when full */
#define SU_TILE_SIZE_MAX (SU_TILE_WIDTH * SU_SHA256_SIZE)
#define SU_TILE_LEVEL_MAX 63
#define SU_TILE_PATH_SIZE 64 /* with the NUL */
#define SU_LOG_ENTRY_SIZE_MAX 65535
#define SU_BUNDLE_SIZE_MAX (SU_TILE_WIDTH * (2 + SU_LOG_ENTRY_SIZE_MAX))

struct su_tile {
        bool entries;   /* an entry bundle; `level` is 0 then */
        unsigned level; /* 0 to SU_TILE_LEVEL_MAX */
        uint64_t index;
        unsigned width; /* 1 to SU_TILE_WIDTH */
};

/* One line of a log: opaque bytes that somebody else keeps. */
struct su_log_entry {
        const void *data;
        size_t size; /* at most SU_LOG_ENTRY_SIZE_MAX */
};

/* For URLs and files alike: relative, without a slash at its end. */
void su_tile_path(const struct su_tile *tile, char ret[SU_TILE_PATH_SIZE]);
/* Only what su_tile_path() writes. */
bool su_tile_parse_path(const char *path, struct su_tile *ret);

/* The bytes that a tile of hashes has: exactly; and a bundle at most. */
size_t su_tile_size_max(const struct su_tile *tile);

/* How many hashes the tiles of a level have together in a tree of `size` leaves. */
uint64_t su_tile_hashes(unsigned level, uint64_t size);
/* The tile of this level and index in a tree of `size` leaves, full or partial; false when it would
 * be empty. */
bool su_tile_in_tree(bool entries, unsigned level, uint64_t index, uint64_t size,
                     struct su_tile *ret);

/* Visit each bundle and tile that a tree of `size` has and one of `old_size` has not: bundles, then
 * level by level, from left to right. Ends with the first failure. */
typedef int (*su_tile_visit)(void *userdata, const struct su_tile *tile, struct su_error *err);
int su_tile_list(uint64_t old_size, uint64_t size, su_tile_visit visit, void *userdata,
                 struct su_error *err);

/* Exactly `n` entries (at most SU_TILE_WIDTH) of a bundle, which point into it. TRUNCATED when it
 * ends before, FORMAT when it goes on after them. */
int su_bundle_parse(const void *data, size_t size, unsigned n,
                    struct su_log_entry ret[SU_TILE_WIDTH], struct su_error *err);
