#include "log-files.h"

#include "support.h"

#include <string.h>

struct log_file *log_files_find(const struct log_files *files, const char *path)
{
        for (size_t i = files->n; i > 0; i--)
                if (strcmp(files->files[i - 1].path, path) == 0)
                        return files->files + i - 1;
        return NULL;
}

static int get(void *userdata, const char *path, size_t max, char **ret_data, size_t *ret_size,
               struct su_error *err)
{
        struct log_files *files = userdata;
        const struct log_file *file = log_files_find(files, path);

        files->n_gets++;
        if (!file)
                return su_fail(err, SU_ERROR_NOT_FOUND, "there is no '%s'", path);
        if (file->size > max)
                return su_fail(err, SU_ERROR_TOO_LARGE, "'%s' has %zu bytes", path, file->size);
        *ret_data = malloc(file->size + 1);
        assert_non_null(*ret_data);
        memcpy(*ret_data, file->data, file->size);
        *ret_size = file->size;
        return 0;
}

static int put(void *userdata, const char *path, const void *data, size_t size,
               struct su_error *err)
{
        struct log_files *files = userdata;
        struct log_file *file = log_files_find(files, path);

        if (++files->n_puts == files->fail_put_at)
                return su_fail(err, SU_ERROR_SPACE, "no room for '%s'", path);
        if (!file) {
                files->files = realloc(files->files, (files->n + 1) * sizeof *files->files);
                assert_non_null(files->files);
                file = files->files + files->n++;
                *file = (struct log_file){.path = strdup(path)};
        }
        free(file->data);
        file->data = malloc(size + 1);
        assert_non_null(file->data);
        memcpy(file->data, data, size);
        file->size = size;
        return 0;
}

struct su_tiles_reader log_files_reader(struct log_files *files)
{
        return (struct su_tiles_reader){.get = get, .userdata = files};
}

struct su_tiles_writer log_files_writer(struct log_files *files)
{
        return (struct su_tiles_writer){.put = put, .userdata = files};
}

void log_files_remove(struct log_files *files, const char *path)
{
        struct log_file *file = log_files_find(files, path);

        assert_non_null(file);
        free(file->path);
        free(file->data);
        *file = files->files[--files->n];
}

void log_files_clear(struct log_files *files)
{
        for (size_t i = 0; i < files->n; i++) {
                free(files->files[i].path);
                free(files->files[i].data);
        }
        free(files->files);
        *files = (struct log_files){0};
}

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
