#include "log-grow.h"

#include "support.h"

struct su_log_entry log_entry(uint64_t index, uint8_t buffer[64])
{
        size_t size = index * 7 % 41;

        fill_noise(buffer, 64, (uint32_t)index + 1);
        return (struct su_log_entry){.data = buffer, .size = size};
}

void log_files_grow(struct log_files *files, uint64_t *size, struct su_sha256 *root, size_t n)
{
        struct su_tiles_reader reader = log_files_reader(files);
        struct su_tiles_writer writer = log_files_writer(files);
        struct su_log_entry *entries = calloc(n + 1, sizeof *entries);
        uint8_t(*buffers)[64] = calloc(n + 1, sizeof *buffers);
        struct su_error err = {0};

        assert_non_null(entries);
        assert_non_null(buffers);
        if (*size == 0)
                assert_ok(su_sha256_of("", 0, root, &err), err);
        for (size_t i = 0; i < n; i++)
                entries[i] = log_entry(*size + i, buffers[i]);
        assert_ok(su_tiles_append(&reader, &writer, *size, root, entries, n, root, &err), err);
        *size += n;
        free(entries);
        free(buffers);
}
