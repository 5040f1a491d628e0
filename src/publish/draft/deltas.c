#include "publish/draft/deltas.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "delta/apply/apply.h"
#include "publish/draft/results.h"
#include "publish/store/repository.h"

/* Each costs as much time as the delta from the baseline; a device lags behind by few levels. */
#define EARLIER_IMAGES_MAX 3
#define DELTAS_MAX (2 + EARLIER_IMAGES_MAX)

_Static_assert(DELTAS_MAX <= SU_JOBS_MAX, "all jobs of a component go into one document");

/* Whether the image of `earlier` (may be NULL) holds a file of that name. */
static bool image_has(const struct su_component *earlier, const char *path)
{
        for (size_t i = 0; earlier && i < earlier->n_files; i++)
                if (!earlier->files[i].is_gone && strcmp(earlier->files[i].path, path) == 0)
                        return true;
        return false;
}

/* The baseline's files that the component replaces, but for those that `earlier` has newer. */
static int add_files(const struct su_delta_work *work, const struct su_component *earlier,
                     struct su_job *job, struct su_error *err)
{
        const struct su_component *component = work->component;

        for (size_t i = 0; i < component->n_files; i++) {
                const struct su_changed_file *file = &component->files[i];
                struct su_delta_source_ref *source = &job->sources[job->n_sources];
                int r;

                if (file->is_new || image_has(earlier, file->path))
                        continue;
                r = su_strdup(file->path, &source->path, err);
                if (r < 0)
                        return r;
                source->size = file->before.size;
                source->sha256 = file->before.sha256;
                job->n_sources++;
        }
        return 0;
}

/* The next job of the list: the target, and no sources yet. It counts when it is complete. */
static int begin_job(const struct su_delta_work *work, const struct su_sha256 *target,
                     struct su_job_list *list, struct su_error *err)
{
        struct su_job *job = &list->each[list->n];
        int r;

        *job = (struct su_job){
                .fast = work->fast,
                .target = work->component->image,
                .target_sha256 = *target,
                .sources = calloc(work->component->n_files + 2, sizeof *job->sources),
        };
        list->n++;
        if (!job->sources)
                return su_fail_oom(err);
        r = su_strdup(work->image, &job->image, err);
        if (r >= 0)
                r = su_strdup(work->tree, &job->tree, err);
        return r;
}

static int plan_from_files(const struct su_delta_work *work, const struct su_sha256 *target,
                           struct su_job_list *list, struct su_error *err)
{
        struct su_job *job = &list->each[list->n];
        int r;

        r = begin_job(work, target, list, err);
        if (r >= 0)
                r = add_files(work, NULL, job, err);
        if (r < 0)
                return r;
        if (job->n_sources == 0) /* all is new */
                su_job_done(&list->each[--list->n]);
        return 0;
}

static const struct su_delta_ref *whole_image(const struct su_component *component)
{
        for (size_t i = 0; i < component->n_deltas; i++)
                if (component->deltas[i].n_sources == 0)
                        return &component->deltas[i];
        return NULL;
}

/* The head of the packed image says what its bytes are. -ENOENT when it was tidied up. */
static int find_packed(const struct su_delta_work *work, const struct su_component *earlier,
                       char **ret_path, struct su_sha256 *ret_digest, struct su_error *err)
{
        const struct su_delta_ref *whole = whole_image(earlier);
        su_auto_delta_header struct su_delta_header header = {0};
        su_auto_close int fd = -EBADF;
        su_auto_free char *object = NULL;
        su_auto_free char *path = NULL;
        int r;

        if (!whole)
                return -ENOENT;
        r = su_object_path(&whole->object, &object, err);
        if (r >= 0)
                r = su_format(&path, err, "%s/public/%s", work->workspace->path, object);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ENOENT
                                       : su_fail_errno(err, errno, "cannot open '%s'", path);
        r = su_delta_header_read(fd, &header, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s", path);
        *ret_digest = header.target;
        *ret_path = su_take(path);
        return 0;
}

static int plan_from_earlier(const struct su_delta_work *work, const struct su_sha256 *target,
                             const struct su_component *earlier, struct su_job_list *list,
                             struct su_error *err)
{
        struct su_delta_source_ref *source;
        su_auto_free char *packed = NULL;
        struct su_sha256 digest;
        struct su_job *job = &list->each[list->n];
        int r;

        r = find_packed(work, earlier, &packed, &digest, err);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = begin_job(work, target, list, err);
        if (r < 0)
                return r;
        source = &job->sources[job->n_sources++];
        *source = (struct su_delta_source_ref){.image = earlier->image, .sha256 = digest};
        job->packed = su_take(packed);
        job->is_trial = true;
        return add_files(work, earlier, job, err);
}

/* Images that deltas were planned from: levels are cumulative and mostly carry the same. */
struct tried {
        struct su_sha256 seals[EARLIER_IMAGES_MAX];
        size_t n;
};

static bool is_tried(const struct tried *tried, const struct su_sha256 *seal)
{
        for (size_t i = 0; i < tried->n; i++)
                if (su_sha256_equal(&tried->seals[i], seal))
                        return true;
        return false;
}

static int try_level(const struct su_delta_work *work, const struct su_sha256 *target,
                     const struct su_level *level, struct tried *tried, struct su_job_list *list,
                     struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        const struct su_component *earlier;
        int r;

        r = su_repository_manifest(work->workspace, SU_NEWEST, work->baseline, level, &manifest,
                                   err);
        if (r < 0)
                return r;
        earlier = su_manifest_component(&manifest, work->component->name);
        if (!earlier || is_tried(tried, &earlier->image.seal))
                return 0;
        tried->seals[tried->n++] = earlier->image.seal;
        return plan_from_earlier(work, target, earlier, list, err);
}

/* Of the newest levels; their order in the channel is that of their release. */
static int plan_from_levels(const struct su_delta_work *work, const struct su_sha256 *target,
                            struct su_job_list *list, struct su_error *err)
{
        su_auto_channel struct su_channel channel = {0};
        struct tried tried = {0};
        int r;

        r = su_repository_channel(work->workspace, SU_NEWEST, work->baseline, &channel, err);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = channel.n_levels; i > 0 && tried.n < EARLIER_IMAGES_MAX && r >= 0; i--)
                r = try_level(work, target, &channel.levels[i - 1].level, &tried, list, err);
        return r;
}

int su_deltas_plan(const struct su_delta_work *work, struct su_job_list *ret, struct su_error *err)
{
        su_auto_job_list struct su_job_list list = {0};
        struct su_sha256 target;
        int r;

        list.each = calloc(DELTAS_MAX, sizeof *list.each);
        if (!list.each)
                return su_fail_oom(err);
        r = su_sha256_of_fd(work->image_fd, work->image, &target, NULL, err);
        if (r >= 0)
                r = plan_from_files(work, &target, &list, err);
        if (r >= 0)
                r = begin_job(work, &target, &list, err);
        if (r >= 0)
                r = plan_from_levels(work, &target, &list, err);
        for (size_t i = 0; i < list.n && r >= 0; i++)
                r = su_job_find_key(&list.each[i], &list.each[i].key, err);
        if (r < 0)
                return r;
        *ret = list;
        list = (struct su_job_list){0};
        return 0;
}

static int count_missing(const struct su_component *component, const struct su_job_list *jobs,
                         int store_fd, size_t *ret, struct su_error *err)
{
        *ret = 0;
        for (size_t i = 0; i < jobs->n; i++) {
                const struct su_image_ref *target = &jobs->each[i].target;
                struct su_result result;
                int r;

                if (target->size != component->image.size ||
                    !su_sha256_equal(&target->seal, &component->image.seal))
                        return su_fail(err, SU_ERROR_CONFLICT,
                                       "the jobs of component '%s' are for another image: build "
                                       "it again",
                                       component->name);
                r = su_results_find(store_fd, &jobs->each[i], &result, err);
                if (r < 0 && r != -ENOENT)
                        return r;
                *ret += r == -ENOENT;
        }
        return *ret > 0 ? -ENOENT : 0;
}

static int add_delta(struct su_component *component, const struct su_job *job,
                     const struct su_object *object, struct su_error *err)
{
        struct su_delta_ref *delta = &component->deltas[component->n_deltas++];

        *delta = (struct su_delta_ref){
                .object = *object,
                .sources = calloc(job->n_sources + 1, sizeof *delta->sources),
        };
        if (!delta->sources)
                return su_fail_oom(err);
        for (size_t i = 0; i < job->n_sources; i++) {
                struct su_delta_source_ref *source = &delta->sources[delta->n_sources++];
                int r;

                *source = job->sources[i];
                source->path = NULL;
                if (!job->sources[i].path)
                        continue;
                r = su_strdup(job->sources[i].path, &source->path, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What any device can have. */
static uint64_t smallest_without_trials(const struct su_component *component,
                                        const struct su_job_list *jobs)
{
        uint64_t smallest = UINT64_MAX;

        for (size_t i = 0; i < component->n_deltas && !jobs->each[i].is_trial; i++)
                if (component->deltas[i].object.size < smallest)
                        smallest = component->deltas[i].object.size;
        return smallest;
}

static int adopt(struct su_component *component, const struct su_job_list *jobs, size_t i,
                 int store_fd, int objects_fd, struct su_error *err)
{
        const struct su_job *job = &jobs->each[i];
        struct su_result result = {0};
        int r;

        r = su_results_find(store_fd, job, &result, err);
        if (r >= 0 && job->is_trial &&
            (result.is_none || result.object.size >= smallest_without_trials(component, jobs)))
                return 0;
        if (r >= 0)
                r = su_results_take(store_fd, job, objects_fd, &result, err);
        if (r == -ENOENT || (r >= 0 && result.is_none))
                return su_fail(err, SU_ERROR_DIGEST, "a delta of component '%s' is gone",
                               component->name);
        return r < 0 ? r : add_delta(component, job, &result.object, err);
}

int su_deltas_adopt(struct su_component *component, const struct su_job_list *jobs, int store_fd,
                    int objects_fd, size_t *ret_missing, struct su_error *err)
{
        int r;

        r = count_missing(component, jobs, store_fd, ret_missing, err);
        if (r < 0)
                return r;
        free(component->deltas); /* room for none, from a draft */
        component->deltas = calloc(jobs->n + 1, sizeof *component->deltas);
        if (!component->deltas)
                return su_fail_oom(err);
        for (size_t i = 0; i < jobs->n && r >= 0; i++)
                r = adopt(component, jobs, i, store_fd, objects_fd, err);
        return r;
}

int su_deltas_keep(int scratch_fd, int draft_fd, const struct su_component *component,
                   struct su_error *err)
{
        su_auto_close int from_fd = -EBADF;
        su_auto_close int to_fd = -EBADF;
        int r;

        r = su_dir_make(scratch_fd, "objects", 0755, &from_fd, err);
        if (r >= 0)
                r = su_dir_make(draft_fd, "objects", 0755, &to_fd, err);
        for (size_t i = 0; i < component->n_deltas && r >= 0; i++) {
                const struct su_sha256 *digest = &component->deltas[i].object.sha256;
                char hex[SU_SHA256_HEX_SIZE];

                su_hex_encode(digest->bytes, sizeof digest->bytes, hex);
                if (renameat(from_fd, hex, to_fd, hex) < 0)
                        r = su_fail_errno(err, errno, "cannot keep delta %s", hex);
        }
        return r;
}
