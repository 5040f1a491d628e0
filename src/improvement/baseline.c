#include "improvement/baseline.h"

#include <string.h>

#include "base/text.h"
#include "improvement/codec.h"
#include "json/json.h"

#define BASELINE_TYPE "suture-baseline"
#define BASELINE_VERSION 1
#define FILES_MAX 4000000

static int read_file(const json_t *object, void *ret, struct su_error *err)
{
        struct su_baseline_file *file = ret;
        const char *path;
        int64_t mode;
        int r;

        r = su_json_get_os_path(object, "path", &path, err);
        if (r >= 0)
                r = su_strdup(path, &file->path, err);
        if (r >= 0)
                r = su_json_get_integer(object, "mode", 0, 07777, &mode, err);
        if (r >= 0)
                r = su_facts_from_json(object, &file->facts, err);
        if (r >= 0)
                file->mode = (mode_t)mode;
        return r;
}

static int read_baseline(const json_t *document, struct su_baseline *baseline, struct su_error *err)
{
        const char *name;
        const char *architecture;
        const char *version;
        const char *os_name;
        int r;

        r = su_json_expect_type(document, BASELINE_TYPE, BASELINE_VERSION, err);
        if (r >= 0)
                r = su_json_get_safe_name(document, "name", &name, err);
        if (r >= 0)
                r = su_json_get_safe_name(document, "architecture", &architecture, err);
        if (r >= 0)
                r = su_json_get_string(document, "os_version", &version, err);
        if (r >= 0)
                r = su_json_get_string(document, "os_name", &os_name, err);
        if (r >= 0)
                r = su_strdup(name, &baseline->name, err);
        if (r >= 0)
                r = su_strdup(architecture, &baseline->architecture, err);
        if (r >= 0)
                r = su_strdup(version, &baseline->version, err);
        if (r >= 0)
                r = su_strdup(os_name, &baseline->os_name, err);
        if (r >= 0)
                r = su_json_read_elements(document, "files", FILES_MAX, sizeof *baseline->files,
                                          read_file, &baseline->files, &baseline->n_files, err);
        return r;
}

int su_baseline_parse(const char *text, size_t size, struct su_baseline *ret, struct su_error *err)
{
        su_auto_baseline struct su_baseline baseline = {0};
        su_auto_json json_t *document = NULL;
        int r;

        r = su_json_parse(text, size, &document, err);
        if (r >= 0)
                r = read_baseline(document, &baseline, err);
        if (r < 0)
                return su_fail_prefix(err, r, "baseline");
        su_baseline_sort(&baseline);
        *ret = baseline;
        baseline = (struct su_baseline){0};
        return 0;
}

static json_t *file_to_json(const struct su_baseline_file *file)
{
        su_auto_json json_t *object = su_facts_to_json(&file->facts);

        if (!object || json_object_set_new(object, "path", json_string(file->path)) < 0 ||
            json_object_set_new(object, "mode", json_integer((json_int_t)file->mode)) < 0)
                return NULL;
        return su_take(object);
}

int su_baseline_write(const struct su_baseline *baseline, char **ret_text, size_t *ret_size,
                      struct su_error *err)
{
        su_auto_json json_t *files = json_array();
        su_auto_json json_t *document = NULL;

        for (size_t i = 0; i < baseline->n_files; i++)
                if (json_array_append_new(files, file_to_json(&baseline->files[i])) < 0)
                        return su_fail_oom(err);
        document = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:O}", "type", BASELINE_TYPE,
                             "version", BASELINE_VERSION, "name", baseline->name, "architecture",
                             baseline->architecture, "os_version", baseline->version, "os_name",
                             baseline->os_name, "files", files);
        if (!document)
                return su_fail_oom(err);
        return su_json_compact(document, ret_text, ret_size, err);
}

void su_baseline_done(struct su_baseline *baseline)
{
        for (size_t i = 0; i < baseline->n_files; i++)
                free(baseline->files[i].path);
        free(baseline->files);
        free(baseline->name);
        free(baseline->architecture);
        free(baseline->version);
        free(baseline->os_name);
        *baseline = (struct su_baseline){0};
}

static int compare_files(const void *a, const void *b)
{
        const struct su_baseline_file *left = a;
        const struct su_baseline_file *right = b;

        return strcmp(left->path, right->path);
}

void su_baseline_sort(struct su_baseline *baseline)
{
        if (baseline->n_files > 0)
                qsort(baseline->files, baseline->n_files, sizeof *baseline->files, compare_files);
}

const struct su_baseline_file *su_baseline_find(const struct su_baseline *baseline,
                                                const char *path)
{
        const struct su_baseline_file wanted = {.path = (char *)path};

        if (baseline->n_files == 0)
                return NULL;
        return bsearch(&wanted, baseline->files, baseline->n_files, sizeof *baseline->files,
                       compare_files);
}

size_t su_baseline_first(const struct su_baseline *baseline, const char *prefix)
{
        size_t from = 0;
        size_t to = baseline->n_files;

        while (from < to) {
                size_t middle = from + (to - from) / 2;

                if (strcmp(baseline->files[middle].path, prefix) < 0)
                        from = middle + 1;
                else
                        to = middle;
        }
        return from;
}
