#include "publish/draft/job.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "delta/apply/format.h"
#include "delta/make/make.h"

#define JOB_TYPE "suture-delta-job"
#define JOBS_TYPE "suture-delta-jobs"
#define JOB_VERSION 1
/* As many as a manifest may name. */
#define SOURCES_MAX 65536

void su_job_done(struct su_job *job)
{
        for (size_t i = 0; i < job->n_sources; i++)
                free(job->sources[i].path);
        free(job->sources);
        free(job->image);
        free(job->tree);
        free(job->packed);
        *job = (struct su_job){0};
}

void su_job_list_done(struct su_job_list *list)
{
        for (size_t i = 0; i < list->n; i++)
                su_job_done(&list->each[i]);
        free(list->each);
        *list = (struct su_job_list){0};
}

static uint64_t source_size(const struct su_delta_source_ref *source)
{
        return source->path ? source->size : source->image.size;
}

/* The names of the sources are no part of the delta, and so no part of the key: the same library of
 * two baselines is made once. */
int su_job_find_key(const struct su_job *job, struct su_sha256 *ret, struct su_error *err)
{
        su_auto_sha256_stream struct su_sha256_stream *stream = NULL;
        char hex[SU_SHA256_HEX_SIZE];
        char line[SU_SHA256_HEX_SIZE + 64];
        int r;

        (void)snprintf(line, sizeof line, "%s engine %d %s\n", SU_DELTA_MAGIC, SU_DELTA_ENGINE,
                       job->fast ? "fast" : "best");
        r = su_sha256_stream_new(&stream, err);
        if (r >= 0)
                r = su_sha256_stream_update(stream, line, strlen(line), err);
        for (size_t i = 0; i < job->n_sources && r >= 0; i++) {
                su_hex_encode(job->sources[i].sha256.bytes, SU_SHA256_SIZE, hex);
                (void)snprintf(line, sizeof line, "source %s %" PRIu64 "\n", hex,
                               source_size(&job->sources[i]));
                r = su_sha256_stream_update(stream, line, strlen(line), err);
        }
        if (r < 0)
                return r;
        su_hex_encode(job->target_sha256.bytes, SU_SHA256_SIZE, hex);
        (void)snprintf(line, sizeof line, "target %s %" PRIu64 "\n", hex, job->target.size);
        r = su_sha256_stream_update(stream, line, strlen(line), err);
        return r < 0 ? r : su_sha256_stream_finish(stream, ret, err);
}

static json_t *source_to_json(const struct su_delta_source_ref *source)
{
        char sha256[SU_SHA256_HEX_SIZE];
        char seal[SU_SHA256_HEX_SIZE];

        su_hex_encode(source->sha256.bytes, SU_SHA256_SIZE, sha256);
        su_hex_encode(source->image.seal.bytes, SU_SHA256_SIZE, seal);
        if (source->path)
                return json_pack("{s:s, s:I, s:s}", "path", source->path, "size",
                                 (json_int_t)source->size, "sha256", sha256);
        return json_pack("{s:s, s:I, s:s}", "seal", seal, "size", (json_int_t)source->image.size,
                         "sha256", sha256);
}

json_t *su_job_to_json(const struct su_job *job)
{
        su_auto_json json_t *sources = json_array();
        char key[SU_SHA256_HEX_SIZE];
        char seal[SU_SHA256_HEX_SIZE];
        char sha256[SU_SHA256_HEX_SIZE];

        for (size_t i = 0; i < job->n_sources; i++)
                if (json_array_append_new(sources, source_to_json(&job->sources[i])) < 0)
                        return NULL;
        su_hex_encode(job->key.bytes, SU_SHA256_SIZE, key);
        su_hex_encode(job->target.seal.bytes, SU_SHA256_SIZE, seal);
        su_hex_encode(job->target_sha256.bytes, SU_SHA256_SIZE, sha256);
        return json_pack("{s:s, s:i, s:s, s:b, s:b, s:s, s:s?, s:O, s:{s:s, s:I, s:s, s:s}}",
                         "type", JOB_TYPE, "version", JOB_VERSION, "key", key, "fast", job->fast,
                         "trial", job->is_trial, "tree", job->tree, "packed", job->packed,
                         "sources", sources, "target", "path", job->image, "size",
                         (json_int_t)job->target.size, "seal", seal, "sha256", sha256);
}

static int read_path(const json_t *object, const char *name, char **ret, struct su_error *err)
{
        const char *path;
        int r;

        r = su_json_get_string(object, name, &path, err);
        if (r < 0)
                return r;
        if (!su_path_is_normal(path))
                return su_fail(err, SU_ERROR_FORMAT, "field '%s' is not an absolute path", name);
        return su_strdup(path, ret, err);
}

static int read_size(const json_t *object, uint64_t *ret, struct su_error *err)
{
        int64_t size;
        int r;

        r = su_json_get_integer(object, "size", 0, INT64_MAX, &size, err);
        if (r >= 0)
                *ret = (uint64_t)size;
        return r;
}

static int read_source(const json_t *object, struct su_delta_source_ref *source,
                       struct su_error *err)
{
        uint64_t size = 0;
        int r;

        r = su_json_get_hex(object, "sha256", source->sha256.bytes, SU_SHA256_SIZE, err);
        if (r >= 0)
                r = read_size(object, &size, err);
        if (r < 0)
                return r;
        if (json_object_get(object, "path")) {
                source->size = size;
                return read_path(object, "path", &source->path, err);
        }
        source->image.size = size;
        return su_json_get_hex(object, "seal", source->image.seal.bytes, SU_SHA256_SIZE, err);
}

/* There is room for one earlier image, the first. */
static int read_sources(const json_t *document, struct su_job *job, struct su_error *err)
{
        json_t *sources;
        const json_t *source;
        size_t i;
        int r;

        r = su_json_get_array(document, "sources", &sources, err);
        if (r < 0)
                return r;
        if (json_array_size(sources) > SOURCES_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "field 'sources' has too many elements");
        job->sources = calloc(json_array_size(sources) + 1, sizeof *job->sources);
        if (!job->sources)
                return su_fail_oom(err);
        json_array_foreach (sources, i, source) {
                job->n_sources = i + 1;
                r = read_source(source, &job->sources[i], err);
                if (r >= 0 && !job->sources[i].path && (i > 0 || !job->packed))
                        r = su_fail(err, SU_ERROR_FORMAT, "nobody says where the image is");
                if (r < 0)
                        return su_fail_prefix(err, r, "source %zu", i);
        }
        return 0;
}

static int read_target(const json_t *document, struct su_job *job, struct su_error *err)
{
        json_t *target;
        int r;

        r = su_json_get_object(document, "target", &target, err);
        if (r >= 0)
                r = read_path(target, "path", &job->image, err);
        if (r >= 0)
                r = read_size(target, &job->target.size, err);
        if (r >= 0)
                r = su_json_get_hex(target, "seal", job->target.seal.bytes, SU_SHA256_SIZE, err);
        if (r >= 0)
                r = su_json_get_hex(target, "sha256", job->target_sha256.bytes, SU_SHA256_SIZE,
                                    err);
        return r;
}

static int read_all(const json_t *document, struct su_job *job, struct su_error *err)
{
        const char *packed;
        int r;

        r = su_json_expect_type(document, JOB_TYPE, JOB_VERSION, err);
        if (r >= 0)
                r = su_json_get_hex(document, "key", job->key.bytes, SU_SHA256_SIZE, err);
        if (r >= 0)
                r = read_path(document, "tree", &job->tree, err);
        if (r >= 0)
                r = su_json_find_string(document, "packed", &packed, err);
        if (r >= 0 && packed)
                r = read_path(document, "packed", &job->packed, err);
        if (r >= 0)
                r = read_sources(document, job, err);
        if (r >= 0)
                r = read_target(document, job, err);
        if (r < 0)
                return r;
        job->fast = json_is_true(json_object_get(document, "fast"));
        job->is_trial = json_is_true(json_object_get(document, "trial"));
        return 0;
}

/* A program of another version would make something else under that name. */
static int check_key(const struct su_job *job, struct su_error *err)
{
        struct su_sha256 key;
        int r;

        r = su_job_find_key(job, &key, err);
        if (r >= 0 && !su_sha256_equal(&key, &job->key))
                return su_fail(err, SU_ERROR_FORMAT,
                               "the job's key is not that of what it says: it was damaged, or "
                               "planned by another version of this program");
        return r;
}

int su_job_from_json(const json_t *document, struct su_job *ret, struct su_error *err)
{
        su_auto_job struct su_job job = {0};
        int r;

        r = read_all(document, &job, err);
        if (r >= 0)
                r = check_key(&job, err);
        if (r < 0)
                return r;
        *ret = job;
        job = (struct su_job){0};
        return 0;
}

int su_job_parse(const char *text, size_t size, struct su_job *ret, struct su_error *err)
{
        su_auto_json json_t *document = NULL;
        int r;

        r = su_json_parse(text, size, &document, err);
        return r < 0 ? r : su_job_from_json(document, ret, err);
}

int su_job_list_write(const struct su_job_list *list, int dir_fd, const char *name,
                      struct su_error *err)
{
        su_auto_json json_t *jobs = json_array();
        su_auto_json json_t *document = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        for (size_t i = 0; i < list->n; i++)
                if (json_array_append_new(jobs, su_job_to_json(&list->each[i])) < 0)
                        return su_fail_oom(err);
        document = json_pack("{s:s, s:i, s:O}", "type", JOBS_TYPE, "version", JOB_VERSION, "jobs",
                             jobs);
        if (!document)
                return su_fail_oom(err);
        r = su_json_pretty(document, &text, &size, err);
        return r < 0 ? r : su_file_write(dir_fd, name, text, size, 0644, err);
}

static int read_list(const json_t *document, struct su_job_list *list, struct su_error *err)
{
        json_t *jobs;
        const json_t *job;
        size_t i;
        int r;

        r = su_json_expect_type(document, JOBS_TYPE, JOB_VERSION, err);
        if (r >= 0)
                r = su_json_get_array(document, "jobs", &jobs, err);
        if (r < 0)
                return r;
        if (json_array_size(jobs) == 0 || json_array_size(jobs) > SU_JOBS_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "field 'jobs' has too few or too many");
        list->each = calloc(json_array_size(jobs), sizeof *list->each);
        if (!list->each)
                return su_fail_oom(err);
        json_array_foreach (jobs, i, job) {
                r = su_job_from_json(job, &list->each[i], err);
                if (r < 0)
                        return r;
                list->n = i + 1;
        }
        return 0;
}

int su_job_list_read(int dir_fd, const char *name, struct su_job_list *ret, struct su_error *err)
{
        su_auto_job_list struct su_job_list list = {0};
        su_auto_json json_t *document = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_file_read(dir_fd, name, SU_JOB_SIZE_MAX, &text, &size, err);
        if (r >= 0)
                r = su_json_parse(text, size, &document, err);
        if (r >= 0)
                r = read_list(document, &list, err);
        if (r == -ENOENT)
                return r;
        if (r < 0)
                return su_fail_prefix(err, r, "%s", name);
        *ret = list;
        list = (struct su_job_list){0};
        return 0;
}
