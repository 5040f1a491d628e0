#include "transparency/tile.h"

#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "transparency/checkpoint.h"
#include "transparency/lines.h"

#define GROUP 1000 /* three digits */
#define GROUP_DIGITS 3
#define INDEX_SIZE 36 /* 64 bits in 7 groups, "x123/" but for the last, and a NUL */

static void write_group(unsigned value, char ret[GROUP_DIGITS])
{
        for (unsigned i = GROUP_DIGITS; i > 0; i--, value /= 10)
                ret[i - 1] = (char)('0' + value % 10);
}

/* From the right: returns where in `buffer` it begins. */
static const char *write_index(uint64_t index, char buffer[INDEX_SIZE])
{
        char *begin = buffer + INDEX_SIZE - 1;

        *begin = '\0';
        begin -= GROUP_DIGITS;
        write_group((unsigned)(index % GROUP), begin);
        while ((index /= GROUP) > 0) {
                begin -= GROUP_DIGITS + 2;
                begin[0] = 'x';
                write_group((unsigned)(index % GROUP), begin + 1);
                begin[1 + GROUP_DIGITS] = '/';
        }
        return begin;
}

void su_tile_path(const struct su_tile *tile, char ret[SU_TILE_PATH_SIZE])
{
        char buffer[INDEX_SIZE];
        char level[12] = "entries";
        char partial[16] = "";

        if (!tile->entries)
                (void)snprintf(level, sizeof level, "%u", tile->level);
        if (tile->width < SU_TILE_WIDTH)
                (void)snprintf(partial, sizeof partial, ".p/%u", tile->width);
        (void)snprintf(ret, SU_TILE_PATH_SIZE, "tile/%s/%s%s", level,
                       write_index(tile->index, buffer), partial);
}

/* Up to the next slash, which is taken off with it, or the end. */
static struct su_slice take_component(struct su_slice *rest)
{
        const char *slash = rest->size > 0 ? memchr(rest->text, '/', rest->size) : NULL;
        size_t size = slash ? (size_t)(slash - rest->text) : rest->size;
        struct su_slice component = {.text = rest->text, .size = size};

        rest->text += slash ? size + 1 : size;
        rest->size -= slash ? size + 1 : size;
        return component;
}

/* The groups of an index and, after ".p" at the last, a width. What else is odd about it, such as
 * an 'x' too many, is found by writing it again. */
static bool parse_index(struct su_slice rest, struct su_tile *tile)
{
        struct su_slice part;
        uint64_t width;

        for (bool more = true; more;) {
                part = take_component(&rest);
                more = su_slice_skip(&part, "x");
                if (part.size < GROUP_DIGITS || tile->index > SU_LOG_SIZE_MAX / GROUP)
                        return false;
                for (unsigned i = 0, value = 0; i < GROUP_DIGITS; i++) {
                        if (part.text[i] < '0' || part.text[i] > '9')
                                return false;
                        value = value * 10 + (unsigned)(part.text[i] - '0');
                        if (i == GROUP_DIGITS - 1)
                                tile->index = tile->index * GROUP + value;
                }
        }
        part.text += GROUP_DIGITS;
        part.size -= GROUP_DIGITS;
        if (part.size == 0)
                return rest.size == 0;
        if (!su_slice_is(part, ".p") || !su_slice_decimal(rest, SU_TILE_WIDTH - 1, &width) ||
            width == 0)
                return false;
        tile->width = (unsigned)width;
        return true;
}

bool su_tile_parse_path(const char *path, struct su_tile *ret)
{
        struct su_slice rest = {.text = path, .size = strlen(path)};
        struct su_tile tile = {.width = SU_TILE_WIDTH};
        char again[SU_TILE_PATH_SIZE];
        struct su_slice part;
        uint64_t level = 0;

        if (!su_slice_skip(&rest, "tile/"))
                return false;
        part = take_component(&rest);
        tile.entries = su_slice_is(part, "entries");
        if (!tile.entries && !su_slice_decimal(part, SU_TILE_LEVEL_MAX, &level))
                return false;
        tile.level = (unsigned)level;
        if (!parse_index(rest, &tile))
                return false;
        su_tile_path(&tile, again);
        if (strcmp(path, again) != 0)
                return false;
        *ret = tile;
        return true;
}

size_t su_tile_size_max(const struct su_tile *tile)
{
        return tile->width * (size_t)(tile->entries ? 2 + SU_LOG_ENTRY_SIZE_MAX : SU_SHA256_SIZE);
}

uint64_t su_tile_hashes(unsigned level, uint64_t size)
{
        return level < 64 / SU_TILE_HEIGHT ? size >> (SU_TILE_HEIGHT * level) : 0;
}

bool su_tile_in_tree(bool entries, unsigned level, uint64_t index, uint64_t size,
                     struct su_tile *ret)
{
        uint64_t hashes = su_tile_hashes(level, size);
        uint64_t left;

        if (index > hashes / SU_TILE_WIDTH)
                return false;
        left = hashes - index * SU_TILE_WIDTH;
        if (left == 0)
                return false;
        *ret = (struct su_tile){.entries = entries,
                                .level = level,
                                .index = index,
                                .width = left < SU_TILE_WIDTH ? (unsigned)left : SU_TILE_WIDTH};
        return true;
}

static int list_level(bool entries, unsigned level, uint64_t old_size, uint64_t size,
                      su_tile_visit visit, void *userdata, struct su_error *err)
{
        uint64_t old_hashes = su_tile_hashes(level, old_size);
        struct su_tile tile;

        if (old_hashes >= su_tile_hashes(level, size))
                return 0;
        for (uint64_t i = old_hashes / SU_TILE_WIDTH;
             su_tile_in_tree(entries, level, i, size, &tile); i++) {
                int r = visit(userdata, &tile, err);

                if (r < 0)
                        return r;
        }
        return 0;
}

int su_tile_list(uint64_t old_size, uint64_t size, su_tile_visit visit, void *userdata,
                 struct su_error *err)
{
        int r;

        r = list_level(true, 0, old_size, size, visit, userdata, err);
        for (unsigned level = 0; r >= 0 && su_tile_hashes(level, size) > 0; level++)
                r = list_level(false, level, old_size, size, visit, userdata, err);
        return r < 0 ? r : 0;
}

int su_bundle_parse(const void *data, size_t size, unsigned n,
                    struct su_log_entry ret[SU_TILE_WIDTH], struct su_error *err)
{
        struct su_reader reader;

        if (n > SU_TILE_WIDTH)
                return su_fail(err, SU_ERROR_USAGE, "no bundle has %u entries", n);
        su_reader_init(&reader, data, size);
        for (unsigned i = 0; i < n; i++) {
                size_t high = su_reader_u8(&reader);

                ret[i].size = high << 8 | su_reader_u8(&reader);
                ret[i].data = su_reader_bytes(&reader, ret[i].size);
                if (!su_reader_ok(&reader))
                        return su_fail(err, SU_ERROR_TRUNCATED,
                                       "the bundle ends within entry %u of %u", i + 1, n);
        }
        if (su_reader_left(&reader) > 0)
                return su_fail(err, SU_ERROR_FORMAT, "the bundle has more than %u entries", n);
        return 0;
}
