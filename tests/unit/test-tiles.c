#include "support.h"

#include <string.h>

#include "log-grow.h"
#include "random.h"
#include "transparency/checkpoint.h"

static void check_path(struct su_tile tile, const char *wanted)
{
        char path[SU_TILE_PATH_SIZE];
        struct su_tile again = {.width = 0};

        su_tile_path(&tile, path);
        assert_string_equal(path, wanted);
        assert_true(su_tile_parse_path(path, &again));
        assert_int_equal(again.entries, tile.entries);
        assert_int_equal(again.level, tile.level);
        assert_true(again.index == tile.index);
        assert_int_equal(again.width, tile.width);
}

static void test_paths(void **state)
{
        (void)state;
        check_path((struct su_tile){.level = 0, .index = 1234067, .width = 256},
                   "tile/0/x001/x234/067");
        check_path((struct su_tile){.level = 0, .index = 0, .width = 256}, "tile/0/000");
        check_path((struct su_tile){.level = 1, .index = 999, .width = 1}, "tile/1/999.p/1");
        check_path((struct su_tile){.level = 63, .index = 1000, .width = 255},
                   "tile/63/x001/000.p/255");
        check_path((struct su_tile){.entries = true, .index = 273, .width = 112},
                   "tile/entries/273.p/112");
        check_path((struct su_tile){.entries = true, .index = SU_LOG_SIZE_MAX / 256, .width = 256},
                   "tile/entries/x036/x028/x797/x018/x963/967");
}

static void test_paths_refused(void **state)
{
        static const char *const wrong[] = {
                "",
                "tile",
                "tile/",
                "tile/0",
                "tile/0/",
                "tile/0/0",
                "tile/0/00",
                "tile/0/0000",
                "tile/0/x000/000",
                "tile/0/x000",
                "tile/0/001/002",
                "tile/0/x001/x002",
                "tile/0/x01/002",
                "tile/0/x001/002/",
                "tile/0/x001//002",
                "tile/0/x001/-02",
                "tile/00/000",
                "tile/01/000",
                "tile/64/000",
                "tile/-1/000",
                "tile//000",
                "tile/entrie/000",
                "tile/0/000.p",
                "tile/0/000.p/",
                "tile/0/000.p/0",
                "tile/0/000.p/01",
                "tile/0/000.p/256",
                "tile/0/000.p/1/",
                "tile/0/000.p/1/2",
                "tile/0/000.q/1",
                "tile/0/x001.p/1",
                "tile/0/000 ",
                "/tile/0/000",
                "tile/0/../000",
                "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999",
                "tile/0/x018/x446/x744/x073/x709/x551/616", /* 2^64 */
        };
        struct su_tile tile;

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++)
                if (su_tile_parse_path(wrong[i], &tile))
                        fail_msg("'%s' is no path of a tile", wrong[i]);
}

struct listing {
        size_t n[2][3][2]; /* of entries or hashes, of a level, partial or full */
        unsigned partial[2][3];
};

static int count_tile(void *userdata, const struct su_tile *tile, struct su_error *err)
{
        struct listing *listing = userdata;

        (void)err;
        assert_in_range(tile->level, 0, 2);
        listing->n[tile->entries][tile->level][tile->width == SU_TILE_WIDTH]++;
        if (tile->width < SU_TILE_WIDTH)
                listing->partial[tile->entries][tile->level] = tile->width;
        return 0;
}

static int refuse_tile(void *userdata, const struct su_tile *tile, struct su_error *err)
{
        (void)userdata;
        (void)tile;
        return su_fail(err, SU_ERROR_CANCELLED, "no");
}

/* The examples of the specification, "Partial Tiles". */
static void test_list(void **state)
{
        struct listing listing = {0};
        struct su_error err = {0};

        (void)state;
        assert_ok(su_tile_list(0, 70000, count_tile, &listing, &err), err);
        assert_int_equal(listing.n[0][0][1], 273);
        assert_int_equal(listing.n[0][0][0], 1);
        assert_int_equal(listing.partial[0][0], 112);
        assert_int_equal(listing.n[0][1][1], 1);
        assert_int_equal(listing.n[0][1][0], 1);
        assert_int_equal(listing.partial[0][1], 17);
        assert_int_equal(listing.n[0][2][1], 0);
        assert_int_equal(listing.n[0][2][0], 1);
        assert_int_equal(listing.partial[0][2], 1);
        assert_int_equal(listing.n[1][0][1], 273);
        assert_int_equal(listing.partial[1][0], 112);

        listing = (struct listing){0};
        assert_ok(su_tile_list(0, 256, count_tile, &listing, &err), err);
        assert_int_equal(listing.n[0][0][1], 1);
        assert_int_equal(listing.n[0][0][0], 0);
        assert_int_equal(listing.n[0][1][0], 1);
        assert_int_equal(listing.partial[0][1], 1);

        listing = (struct listing){0};
        assert_ok(su_tile_list(256, 300, count_tile, &listing, &err), err);
        assert_int_equal(listing.n[0][0][0], 1);
        assert_int_equal(listing.n[0][0][1], 0);
        assert_int_equal(listing.n[0][1][0], 0);
        assert_ok(su_tile_list(300, 300, refuse_tile, NULL, &err), err);
        assert_ok(su_tile_list(0, 0, refuse_tile, NULL, &err), err);
        assert_fails(su_tile_list(299, 300, refuse_tile, NULL, &err), err, CANCELLED);
}

static void test_bundle(void **state)
{
        static const uint8_t data[] = {0, 0, 0, 1, 'a', 0, 2, 'b', 'c'};
        struct su_log_entry entries[SU_TILE_WIDTH];
        struct su_error err = {0};

        (void)state;
        assert_ok(su_bundle_parse(data, sizeof data, 3, entries, &err), err);
        assert_int_equal(entries[0].size, 0);
        assert_int_equal(entries[2].size, 2);
        assert_memory_equal(entries[2].data, "bc", 2);
        for (size_t n = 0; n < sizeof data; n++)
                assert_fails(su_bundle_parse(data, n, 3, entries, &err), err, TRUNCATED);
        assert_fails(su_bundle_parse(data, sizeof data, 2, entries, &err), err, FORMAT);
        assert_fails(su_bundle_parse(data, sizeof data, 4, entries, &err), err, TRUNCATED);
        assert_fails(su_bundle_parse(data, sizeof data, 257, entries, &err), err, USAGE);
        assert_ok(su_bundle_parse(NULL, 0, 0, entries, &err), err);
}

static struct su_tiles *tiles_of(struct log_files *files, uint64_t size,
                                 const struct su_sha256 *root)
{
        struct su_tiles_reader reader = log_files_reader(files);
        struct su_tiles *tiles = NULL;
        struct su_error err = {0};

        assert_ok(su_tiles_open(&reader, size, root, &tiles, &err), err);
        return tiles;
}

static int check_file(void *userdata, const struct su_tile *tile, struct su_error *err)
{
        char path[SU_TILE_PATH_SIZE];

        (void)err;
        su_tile_path(tile, path);
        if (!log_files_find(userdata, path))
                fail_msg("'%s' is missing", path);
        return 0;
}

static struct su_sha256 *leaf_hashes(size_t n)
{
        struct su_sha256 *hashes = calloc(n + 1, sizeof *hashes);

        assert_non_null(hashes);
        for (size_t i = 0; i < n; i++) {
                uint8_t buffer[64];
                struct su_log_entry entry = log_entry(i, buffer);

                assert_int_equal(su_tree_hash_leaf(entry.data, entry.size, hashes + i, NULL), 0);
        }
        return hashes;
}

static int check_entry(void *userdata, uint64_t index, const struct su_log_entry *entry,
                       struct su_error *err)
{
        uint64_t *next = userdata;
        uint8_t buffer[64];
        struct su_log_entry wanted = log_entry(index, buffer);

        (void)err;
        assert_true(index == *next);
        assert_int_equal(entry->size, wanted.size);
        assert_memory_equal(entry->data, wanted.data, wanted.size);
        (*next)++;
        return 0;
}

/* What was appended is what can be read, proven by the root that the leaves have. */
static void check_log(struct log_files *files, uint64_t size, const struct su_sha256 *root,
                      struct su_tree_leaves *leaves, uint64_t *random)
{
        su_auto_tiles struct su_tiles *tiles = tiles_of(files, size, root);
        struct su_tree_source source = su_tree_source_of_leaves(leaves);
        uint64_t n_entries = 0;
        struct su_sha256 wanted;
        struct su_error err = {0};

        assert_ok(su_tree_root(&source, size, &wanted, &err), err);
        assert_memory_equal(root, &wanted, sizeof wanted);
        assert_ok(su_tile_list(0, size, check_file, files, &err), err);
        assert_ok(su_tiles_verify_root(tiles, &err), err);
        assert_ok(su_tiles_verify_all(tiles, check_entry, &n_entries, &err), err);
        assert_true(n_entries == size);
        for (unsigned i = 0; i < 5 && size > 0; i++) {
                uint64_t index = random_below(random, size);
                uint64_t old_size = random_below(random, size + 1);
                su_auto_free void *data = NULL;
                struct su_tree_proof proof;
                struct su_sha256 old_root;
                struct su_sha256 leaf;
                size_t entry_size;
                uint64_t next = index;

                assert_ok(su_tiles_prove_inclusion(tiles, index, &proof, &leaf, &err), err);
                assert_memory_equal(&leaf, leaves->hashes + index, sizeof leaf);
                assert_ok(su_tree_verify_inclusion(&leaf, index, size, root, &proof, &err), err);
                assert_ok(su_tree_root(&source, old_size, &old_root, &err), err);
                assert_ok(su_tiles_prove_consistency(tiles, old_size, &old_root, &proof, &err),
                          err);
                assert_ok(su_tree_verify_consistency(old_size, &old_root, size, root, &proof, &err),
                          err);
                assert_ok(su_tiles_read_entry(tiles, index, &data, &entry_size, &err), err);
                check_entry(&next, index, &(struct su_log_entry){.data = data, .size = entry_size},
                            &err);
        }
}

static void test_grow(void **state)
{
        static const size_t steps[] = {0, 1, 1, 2, 0, 100, 151, 1, 1, 43, 212, 256, 255, 600, 3};
        su_auto_free struct su_sha256 *hashes = leaf_hashes(2000);
        struct su_tree_leaves leaves = {.hashes = hashes, .n = 2000};
        auto_log_files struct log_files files = {0};
        struct su_sha256 root;
        uint64_t random = 1;
        uint64_t size = 0;

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(steps); i++) {
                log_files_grow(&files, &size, &root, steps[i]);
                check_log(&files, size, &root, &leaves, &random);
        }
        assert_int_equal(size, 1626);
}

/* One at a time or all at once: the same files, but for partial ones on the way. */
static void test_every_size(void **state)
{
        auto_log_files struct log_files files = {0};
        struct su_sha256 root;
        uint64_t size = 0;

        (void)state;
        while (size < 300) {
                auto_log_files struct log_files at_once = {0};
                struct su_sha256 root_at_once;
                uint64_t size_at_once = 0;

                log_files_grow(&files, &size, &root, 1);
                log_files_grow(&at_once, &size_at_once, &root_at_once, size);
                assert_memory_equal(&root, &root_at_once, sizeof root);
                for (size_t i = 0; i < at_once.n; i++) {
                        const struct log_file *file = at_once.files + i;
                        const struct log_file *same = log_files_find(&files, file->path);

                        assert_non_null(same);
                        assert_int_equal(same->size, file->size);
                        assert_memory_equal(same->data, file->data, file->size);
                }
        }
}

static void test_large(void **state)
{
        su_auto_free struct su_sha256 *hashes = leaf_hashes(66000);
        struct su_tree_leaves leaves = {.hashes = hashes, .n = 66000};
        auto_log_files struct log_files files = {0};
        struct su_sha256 root;
        uint64_t random = 3;
        uint64_t size = 0;

        (void)state;
        log_files_grow(&files, &size, &root, 65535);
        check_log(&files, size, &root, &leaves, &random);
        log_files_grow(&files, &size, &root, 1); /* level 2 begins */
        check_log(&files, size, &root, &leaves, &random);
        assert_non_null(log_files_find(&files, "tile/2/000.p/1"));
        log_files_grow(&files, &size, &root, 464);
        check_log(&files, size, &root, &leaves, &random);
}

/* Partial files may be gone once the full one is there. */
static void test_partial_gone(void **state)
{
        su_auto_free struct su_sha256 *hashes = leaf_hashes(300);
        struct su_tree_leaves leaves = {.hashes = hashes, .n = 300};
        auto_log_files struct log_files files = {0};
        struct su_sha256 old_root;
        struct su_sha256 root;
        uint64_t random = 1;
        uint64_t size = 0;

        (void)state;
        log_files_grow(&files, &size, &root, 200);
        old_root = root;
        log_files_grow(&files, &size, &root, 100);
        check_log(&files, 200, &old_root, &leaves, &random);
        log_files_remove(&files, "tile/0/000.p/200");
        log_files_remove(&files, "tile/entries/000.p/200");
        {
                su_auto_tiles struct su_tiles *tiles = tiles_of(&files, 200, &old_root);
                uint64_t n_entries = 0;
                struct su_error err = {0};

                assert_ok(su_tiles_verify_all(tiles, check_entry, &n_entries, &err), err);
                assert_int_equal(n_entries, 200);
        }
        {
                su_auto_tiles struct su_tiles *tiles = tiles_of(&files, 200, &old_root);
                struct su_error err = {0};

                log_files_find(&files, "tile/0/000")->size--;
                assert_fails_with(su_tiles_verify_root(tiles, &err), err, TRUNCATED,
                                  "'tile/0/000'");
                log_files_remove(&files, "tile/0/000");
                assert_fails_with(su_tiles_verify_root(tiles, &err), err, NOT_FOUND,
                                  "tile/0/000.p/200");
        }
}

/* Every file that is cut, too long, missing or changed in a bit is noticed. */
static void test_damage(void **state)
{
        auto_log_files struct log_files files = {0};
        struct su_sha256 root;
        uint64_t random = 5;
        uint64_t size = 0;

        (void)state;
        log_files_grow(&files, &size, &root, 600);
        for (size_t i = 0; i < files.n; i++) {
                struct log_file *file = files.files + i;
                bool entries = strstr(file->path, "entries");
                struct su_error err = {0};
                size_t whole = file->size;
                size_t byte = random_below(&random, whole);
                uint64_t n_entries = 0;

                for (unsigned damage = 0; damage < 4; damage++) {
                        su_auto_tiles struct su_tiles *tiles = tiles_of(&files, size, &root);
                        su_auto_free char *kept = file->data;
                        char *path = file->path;
                        char gone[] = "gone";

                        file->data = calloc(1, whole + 40);
                        assert_non_null(file->data);
                        memcpy(file->data, kept, whole);
                        if (damage == 0) {
                                file->size = whole - 1;
                                assert_fails(su_tiles_verify_all(tiles, NULL, NULL, &err), err,
                                             TRUNCATED);
                        } else if (damage == 1) {
                                file->size = whole + 32;
                                files.ignores_max = i % 2 == 0;
                                assert_true(su_tiles_verify_all(tiles, NULL, NULL, &err) < 0);
                                assert_int_equal(err.code,
                                                 entries ? SU_ERROR_FORMAT : SU_ERROR_TOO_LARGE);
                        } else if (damage == 2) {
                                file->data[byte] = (char)(file->data[byte] ^ 0x10);
                                assert_true(su_tiles_verify_all(tiles, NULL, NULL, &err) < 0);
                                if (!entries)
                                        assert_int_equal(err.code, SU_ERROR_DIGEST);
                        } else {
                                file->path = gone;
                                assert_fails(su_tiles_verify_all(tiles, NULL, NULL, &err), err,
                                             NOT_FOUND);
                                file->path = path;
                        }
                        file->size = whole;
                        memcpy(file->data, kept, whole);
                }
                {
                        su_auto_tiles struct su_tiles *tiles = tiles_of(&files, size, &root);

                        assert_ok(su_tiles_verify_all(tiles, check_entry, &n_entries, &err), err);
                }
        }
}

/* Tiles that fit each other, but not the checkpoint: of another log, or an older state. */
static void test_other_root(void **state)
{
        auto_log_files struct log_files files = {0};
        struct su_tree_proof proof;
        struct su_sha256 old_root;
        struct su_sha256 root;
        struct su_sha256 other;
        struct su_error err = {0};
        uint64_t size = 0;
        void *data = NULL;
        size_t n;

        (void)state;
        log_files_grow(&files, &size, &root, 20);
        old_root = root;
        log_files_grow(&files, &size, &root, 300);
        other = root;
        other.bytes[31] ^= 1;
        {
                su_auto_tiles struct su_tiles *tiles = tiles_of(&files, size, &other);

                assert_fails(su_tiles_verify_root(tiles, &err), err, DIGEST);
                assert_fails(su_tiles_verify_all(tiles, NULL, NULL, &err), err, DIGEST);
                assert_fails(su_tiles_prove_inclusion(tiles, 3, &proof, NULL, &err), err, DIGEST);
                assert_fails(su_tiles_prove_consistency(tiles, 20, NULL, &proof, &err), err,
                             DIGEST);
                assert_fails(su_tiles_prove_consistency(tiles, 320, NULL, &proof, &err), err,
                             DIGEST);
                assert_fails(su_tiles_read_entry(tiles, 3, &data, &n, &err), err, DIGEST);
        }
        {
                su_auto_tiles struct su_tiles *tiles = tiles_of(&files, size, &root);
                struct su_log_entry entries[SU_TILE_WIDTH];
                char *bundle = NULL;
                unsigned n_entries;

                assert_ok(su_tiles_prove_consistency(tiles, 20, &old_root, &proof, &err), err);
                assert_fails(su_tiles_prove_consistency(tiles, 20, &other, &proof, &err), err,
                             ROLLBACK);
                assert_fails(su_tiles_prove_consistency(tiles, 21, &old_root, &proof, &err), err,
                             ROLLBACK);
                assert_fails(su_tiles_prove_consistency(tiles, 321, NULL, &proof, &err), err,
                             USAGE);
                assert_fails(su_tiles_prove_inclusion(tiles, 320, &proof, NULL, &err), err, USAGE);
                assert_fails(su_tiles_read_entry(tiles, 320, &data, &n, &err), err, USAGE);
                assert_fails(su_tiles_read_bundle(tiles, 2, &bundle, entries, &n_entries, &err),
                             err, USAGE);
        }
        assert_null(data);
}

/* An entry and its hash that were changed together do not fit the tile above. */
static void test_changed_together(void **state)
{
        auto_log_files struct log_files files = {0};
        su_auto_tiles struct su_tiles *tiles = NULL;
        struct su_log_entry entries[SU_TILE_WIDTH];
        struct su_sha256 leaf;
        struct su_sha256 root;
        struct su_error err = {0};
        struct log_file *bundle;
        uint64_t size = 0;

        (void)state;
        log_files_grow(&files, &size, &root, 600);
        bundle = log_files_find(&files, "tile/entries/000");
        bundle->data[2 + 2] ^= 1; /* in the second entry, after an empty one */
        assert_ok(su_bundle_parse(bundle->data, bundle->size, SU_TILE_WIDTH, entries, &err), err);
        assert_ok(su_tree_hash_leaf(entries[1].data, entries[1].size, &leaf, &err), err);
        memcpy(log_files_find(&files, "tile/0/000")->data + 32, leaf.bytes, 32);
        tiles = tiles_of(&files, size, &root);
        assert_fails_with(su_tiles_verify_all(tiles, NULL, NULL, &err), err, DIGEST,
                          "tile 0 of level 0 is not what the one above says");
}

/* Only what is new is written. */
static void test_few_writes(void **state)
{
        auto_log_files struct log_files files = {0};
        struct su_sha256 root;
        uint64_t size = 0;

        (void)state;
        log_files_grow(&files, &size, &root, 300);
        files.n_puts = 0;
        log_files_grow(&files, &size, &root, 0);
        assert_int_equal(files.n_puts, 0);
        log_files_grow(&files, &size, &root, 1);
        assert_int_equal(files.n_puts, 2); /* a bundle and a tile, but not the tile above */
        log_files_grow(&files, &size, &root, 211);
        assert_int_equal(files.n_puts, 5); /* both are full, and the one above has another hash */
}

/* Files that are one log when they are first read, and another from then on: `late` has the same
 * size and other entries. */
struct two_faces {
        struct log_files *first;
        struct log_files *late;
        size_t n_first; /* how many reads see the first */
};

static int get_of_two(void *userdata, const char *path, size_t max, char **ret_data,
                      size_t *ret_size, struct su_error *err)
{
        struct two_faces *faces = userdata;
        struct su_tiles_reader reader = log_files_reader(faces->first);

        if (faces->n_first == 0)
                reader = log_files_reader(faces->late);
        else
                faces->n_first--;
        return reader.get(reader.userdata, path, max, ret_data, ret_size, err);
}

/* A log of `n` entries that all say "false". */
static void grow_false(struct log_files *files, size_t n)
{
        struct su_tiles_reader reader = log_files_reader(files);
        struct su_tiles_writer writer = log_files_writer(files);
        su_auto_free struct su_log_entry *entries = calloc(n, sizeof *entries);
        struct su_sha256 root;
        struct su_error err = {0};

        assert_non_null(entries);
        for (size_t i = 0; i < n; i++)
                entries[i] = (struct su_log_entry){.data = "false", .size = 5};
        assert_ok(su_sha256_of("", 0, &root, &err), err);
        assert_ok(su_tiles_append(&reader, &writer, 0, &root, entries, n, &root, &err), err);
}

/* Nothing is proven of the other one, however many reads see the first: of `size` entries, which
 * are in `n_files` files. */
static void check_two_faces(uint64_t size, size_t n_files, size_t step)
{
        auto_log_files struct log_files first = {0};
        auto_log_files struct log_files late = {0};
        struct su_sha256 root;
        uint64_t grown = 0;

        log_files_grow(&first, &grown, &root, size);
        grow_false(&late, size);
        for (size_t n = 0; n <= n_files; n += n < 6 ? 1 : step) {
                struct two_faces faces = {.first = &first, .late = &late, .n_first = n};
                struct su_tiles_reader reader = {.get = get_of_two, .userdata = &faces};
                su_auto_tiles struct su_tiles *tiles = NULL;
                su_auto_tiles struct su_tiles *again = NULL;
                su_auto_free void *data = NULL;
                struct su_error err = {0};
                uint64_t next = 300;
                size_t entry_size;

                assert_ok(su_tiles_open(&reader, size, &root, &tiles, &err), err);
                if (su_tiles_read_entry(tiles, 300, &data, &entry_size, &err) >= 0)
                        check_entry(&next, 300,
                                    &(struct su_log_entry){.data = data, .size = entry_size}, &err);
                faces.n_first = n;
                assert_ok(su_tiles_open(&reader, size, &root, &again, &err), err);
                assert_int_equal(su_tiles_verify_all(again, NULL, NULL, &err) >= 0, n == n_files);
        }
}

static void test_two_faces(void **state)
{
        (void)state;
        check_two_faces(600, 7, 1);
        /* More tiles than are kept: the first to be read are read again. */
        check_two_faces(10000, SIZE_MAX / 2, SIZE_MAX / 2);
}

static void test_append_refused(void **state)
{
        auto_log_files struct log_files files = {0};
        struct su_tiles_reader reader = log_files_reader(&files);
        struct su_tiles_writer writer = log_files_writer(&files);
        static const uint8_t bytes[SU_LOG_ENTRY_SIZE_MAX + 1];
        struct su_log_entry entries[2] = {{.data = bytes, .size = 1},
                                          {.data = bytes, .size = sizeof bytes}};
        struct su_sha256 root;
        struct su_sha256 other;
        struct su_error err = {0};
        uint64_t size = 0;
        size_t n_puts;

        (void)state;
        log_files_grow(&files, &size, &root, 258);
        other = root;
        other.bytes[0] ^= 1;
        n_puts = files.n_puts;
        assert_fails(su_tiles_append(&reader, &writer, size, &root, entries, 2, &root, &err), err,
                     TOO_LARGE);
        assert_fails(su_tiles_append(&reader, &writer, size, &other, entries, 1, &root, &err), err,
                     DIGEST);
        assert_fails(su_tiles_append(&reader, &writer, 256, &root, entries, 1, &root, &err), err,
                     DIGEST);
        assert_fails(su_tiles_append(&reader, &writer, 0, &root, entries, 1, &root, &err), err,
                     DIGEST);
        assert_fails(su_tiles_append(&reader, &writer, 259, &root, entries, 1, &root, &err), err,
                     NOT_FOUND);
        assert_fails(
                su_tiles_append(&reader, &writer, SU_LOG_SIZE_MAX, &root, entries, 1, &root, &err),
                err, TOO_LARGE);
        log_files_find(&files, "tile/entries/001.p/2")->data[2] ^= 1;
        assert_fails(su_tiles_append(&reader, &writer, size, &root, entries, 1, &root, &err), err,
                     DIGEST);
        assert_int_equal(files.n_puts, n_puts);
}

/* The largest entries fill the largest bundle. */
static void test_largest_entries(void **state)
{
        auto_log_files struct log_files files = {0};
        struct su_tiles_reader reader = log_files_reader(&files);
        struct su_tiles_writer writer = log_files_writer(&files);
        static const uint8_t bytes[SU_LOG_ENTRY_SIZE_MAX];
        struct su_log_entry entries[SU_TILE_WIDTH];
        struct su_sha256 root;
        struct su_error err = {0};

        (void)state;
        for (size_t i = 0; i < SU_TILE_WIDTH; i++)
                entries[i] = (struct su_log_entry){.data = bytes, .size = sizeof bytes};
        assert_ok(su_sha256_of("", 0, &root, &err), err);
        assert_ok(su_tiles_append(&reader, &writer, 0, &root, entries, 255, &root, &err), err);
        assert_ok(su_tiles_append(&reader, &writer, 255, &root, entries, 1, &root, &err), err);
        assert_int_equal(log_files_find(&files, "tile/entries/000")->size, SU_BUNDLE_SIZE_MAX);
        {
                su_auto_tiles struct su_tiles *tiles = tiles_of(&files, 256, &root);

                assert_ok(su_tiles_verify_all(tiles, NULL, NULL, &err), err);
        }
}

/* Wherever it is cut off, the old log is as it was, and appending again succeeds. */
static void test_append_interrupted(void **state)
{
        (void)state;
        for (size_t fail_at = 1;; fail_at++) {
                auto_log_files struct log_files files = {0};
                struct su_tiles_reader reader = log_files_reader(&files);
                struct su_tiles_writer writer = log_files_writer(&files);
                struct su_log_entry entries[600];
                uint8_t buffers[600][64];
                struct su_sha256 old_root;
                struct su_sha256 root;
                struct su_error err = {0};
                uint64_t size = 0;
                int r;

                log_files_grow(&files, &size, &old_root, 200);
                for (size_t i = 0; i < 600; i++)
                        entries[i] = log_entry(200 + i, buffers[i]);
                files.fail_put_at = files.n_puts + fail_at;
                r = su_tiles_append(&reader, &writer, 200, &old_root, entries, 600, &root, &err);
                {
                        su_auto_tiles struct su_tiles *tiles = tiles_of(&files, 200, &old_root);

                        assert_ok(su_tiles_verify_all(tiles, NULL, NULL, &err), err);
                }
                if (r >= 0) {
                        assert_int_equal(fail_at, 3 * 2 + 2 + 1 + 1); /* one more than there are */
                        return;
                }
                assert_int_equal(err.code, SU_ERROR_SPACE);
                log_files_grow(&files, &size, &old_root, 600);
                {
                        su_auto_tiles struct su_tiles *tiles = tiles_of(&files, 800, &old_root);

                        assert_ok(su_tiles_verify_all(tiles, NULL, NULL, &err), err);
                }
        }
}

/* A proof reads a handful of tiles, not the log. */
static void test_few_reads(void **state)
{
        auto_log_files struct log_files files = {0};
        su_auto_tiles struct su_tiles *tiles = NULL;
        struct su_tree_proof proof;
        struct su_sha256 root;
        struct su_error err = {0};
        uint64_t size = 0;

        (void)state;
        log_files_grow(&files, &size, &root, 5000);
        tiles = tiles_of(&files, size, &root);
        files.n_gets = 0;
        assert_ok(su_tiles_prove_inclusion(tiles, 1234, &proof, NULL, &err), err);
        assert_in_range(files.n_gets, 2, 4);
        assert_ok(su_tiles_prove_inclusion(tiles, 1235, &proof, NULL, &err), err);
        assert_ok(su_tiles_verify_root(tiles, &err), err);
        assert_in_range(files.n_gets, 2, 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_paths_refused),
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_bundle),
                cmocka_unit_test(test_grow),
                cmocka_unit_test(test_every_size),
                cmocka_unit_test(test_large),
                cmocka_unit_test(test_partial_gone),
                cmocka_unit_test(test_damage),
                cmocka_unit_test(test_other_root),
                cmocka_unit_test(test_changed_together),
                cmocka_unit_test(test_few_writes),
                cmocka_unit_test(test_two_faces),
                cmocka_unit_test(test_append_refused),
                cmocka_unit_test(test_largest_entries),
                cmocka_unit_test(test_append_interrupted),
                cmocka_unit_test(test_few_reads),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
