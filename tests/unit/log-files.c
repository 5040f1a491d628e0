#include "log-files.h"

#include <stdlib.h>
#include <string.h>

/* This serves fuzz targets too, which have no cmocka. */
static void *check(void *p)
{
        if (!p)
                abort();
        return p;
}

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
        if (file->size > max && !files->ignores_max)
                return su_fail(err, SU_ERROR_TOO_LARGE, "'%s' has %zu bytes", path, file->size);
        *ret_data = check(malloc(file->size + 1));
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
                files->files = check(realloc(files->files, (files->n + 1) * sizeof *files->files));
                file = files->files + files->n++;
                *file = (struct log_file){.path = check(strdup(path))};
        }
        free(file->data);
        file->data = check(malloc(size + 1));
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

        check(file);
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
