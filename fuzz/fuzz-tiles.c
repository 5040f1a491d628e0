/* Logs of hostile files: what is proven from them holds, and what was appended to them can be read
 * again.
 *
 * A byte for what to do, two for the size of the log, and files: a byte for which of the paths, two
 * for how many bytes, big-endian, and these. */
#include <string.h>

#include "fuzz.h"
#include "log-files.h"
#include "transparency/checkpoint.h"

static const char *const paths[] = {
        "tile/0/000",           "tile/0/000.p/1",       "tile/0/000.p/2",
        "tile/0/000.p/3",       "tile/0/001",           "tile/0/001.p/1",
        "tile/1/000.p/1",       "tile/1/000.p/2",       "tile/2/000.p/1",
        "tile/entries/000",     "tile/entries/000.p/1", "tile/entries/000.p/2",
        "tile/entries/000.p/3", "tile/entries/001.p/1",
};

struct input {
        const uint8_t *data;
        size_t size;
};

static unsigned take(struct input *input, unsigned n)
{
        unsigned value = 0;

        for (; n > 0; n--) {
                value = value << 8 | (input->size > 0 ? *input->data : 0);
                input->data += input->size > 0;
                input->size -= input->size > 0;
        }
        return value;
}

/* Short files are filled up by their last byte, so that an input needs not have 8192. */
static void take_file(struct input *input, struct log_files *files)
{
        struct su_tiles_writer writer = log_files_writer(files);
        unsigned which = take(input, 1);
        unsigned size = take(input, 2) % (SU_TILE_SIZE_MAX + 2);
        size_t given = size < input->size ? size : input->size;
        uint8_t bytes[SU_TILE_SIZE_MAX + 2];

        memset(bytes, given > 0 ? input->data[given - 1] : 0, sizeof bytes);
        memcpy(bytes, input->data, given);
        input->data += given;
        input->size -= given;
        fuzz_check(writer.put(files, paths[which % SU_ELEMENTS(paths)], bytes, size, NULL) >= 0);
}

static void check_proofs(struct su_tiles *tiles, uint64_t size, const struct su_sha256 *root)
{
        struct su_tree_source source = su_tiles_source(tiles);
        struct su_tree_proof proof;
        struct su_sha256 old_root;
        struct su_sha256 leaf;
        uint64_t i = size / 2;

        if (su_tiles_prove_inclusion(tiles, i, &proof, &leaf, NULL) >= 0)
                fuzz_check(su_tree_verify_inclusion(&leaf, i, size, root, &proof, NULL) >= 0);
        if (su_tiles_prove_consistency(tiles, i, NULL, &proof, NULL) >= 0 &&
            su_tree_root(&source, i, &old_root, NULL) >= 0)
                fuzz_check(su_tree_verify_consistency(i, &old_root, size, root, &proof, NULL) >= 0);
}

static void check_entry(struct su_tiles *tiles, uint64_t index)
{
        su_auto_free void *data = NULL;
        struct su_tree_proof proof;
        struct su_sha256 wanted;
        struct su_sha256 leaf;
        size_t size;

        if (su_tiles_read_entry(tiles, index, &data, &size, NULL) < 0)
                return;
        fuzz_check(su_tiles_prove_inclusion(tiles, index, &proof, &wanted, NULL) >= 0);
        fuzz_check(su_tree_hash_leaf(data, size, &leaf, NULL) >= 0);
        fuzz_check(su_sha256_equal(&leaf, &wanted));
}

/* What was fit to be appended to was fit, and so is what has become of it. */
static void check_append(struct log_files *files, uint64_t size, const struct su_sha256 *root)
{
        struct su_tiles_reader reader = log_files_reader(files);
        struct su_tiles_writer writer = log_files_writer(files);
        struct su_log_entry entries[] = {{.data = "one", .size = 3}, {.data = "", .size = 0}};
        su_auto_tiles struct su_tiles *tiles = NULL;
        struct su_tree_proof proof;
        struct su_sha256 new_root;

        if (su_tiles_append(&reader, &writer, size, root, entries, 2, &new_root, NULL) < 0)
                return;
        fuzz_check(su_tiles_open(&reader, size + 2, &new_root, &tiles, NULL) >= 0);
        fuzz_check(su_tiles_verify_root(tiles, NULL) >= 0);
        check_entry(tiles, size + 1);
        if (su_tiles_prove_consistency(tiles, size, root, &proof, NULL) >= 0)
                fuzz_check(su_tree_verify_consistency(size, root, size + 2, &new_root, &proof,
                                                      NULL) >= 0);
}

static void check_path(const char *text)
{
        char again[SU_TILE_PATH_SIZE];
        struct su_tile tile;

        if (!su_tile_parse_path(text, &tile))
                return;
        fuzz_check(tile.width > 0 && tile.width <= SU_TILE_WIDTH);
        fuzz_check(tile.level <= SU_TILE_LEVEL_MAX);
        su_tile_path(&tile, again);
        fuzz_check(strcmp(again, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input input = {.data = data, .size = size};
        unsigned what = take(&input, 1);
        auto_log_files struct log_files files = {0};
        struct su_tiles_reader reader = log_files_reader(&files);
        su_auto_tiles struct su_tiles *tiles = NULL;
        su_auto_tiles struct su_tiles *unproven = NULL;
        struct su_sha256 root = {{0}};
        struct su_tree_source source;
        unsigned n;

        if (what == 't') {
                su_auto_free char *text = fuzz_string(input.data, input.size);

                check_path(text);
                return 0;
        }
        n = take(&input, 2) % 66000;
        while (input.size > 0)
                take_file(&input, &files);
        fuzz_check(su_tiles_open(&reader, n, &root, &unproven, NULL) >= 0);
        source = su_tiles_source(unproven);
        if (su_tree_root(&source, n, &root, NULL) < 0)
                return 0;
        fuzz_check(su_tiles_open(&reader, n, &root, &tiles, NULL) >= 0);
        fuzz_check(su_tiles_verify_root(tiles, NULL) >= 0);
        check_proofs(tiles, n, &root);
        check_entry(tiles, n / 2);
        (void)su_tiles_verify_all(tiles, NULL, NULL, NULL);
        check_append(&files, n, &root);
        return 0;
}
