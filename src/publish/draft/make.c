#include "publish/draft/make.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "delta/apply/apply.h"
#include "delta/make/make.h"
#include "image/seal.h"
#include "publish/draft/results.h"

/* What a delta is made from. */
struct sources {
        int *fds;
        const char **names;
        size_t n;
};

static void sources_done(struct sources *sources)
{
        for (size_t i = 0; i < sources->n; i++)
                su_close_fd(&sources->fds[i]);
        free(sources->fds);
        free(sources->names);
}

/* The tree may have changed since it was recorded: then a device would refuse the delta. */
static int open_file(int tree_fd, const struct su_delta_source_ref *source, int *ret_fd,
                     struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        struct su_sha256 digest;
        int r;

        r = su_open_in_root(tree_fd, source->path, O_RDONLY | O_NOFOLLOW, &fd, err);
        if (r >= 0)
                r = su_sha256_of_fd(fd, source->path, &digest, NULL, err);
        if (r < 0)
                return r;
        if (!su_sha256_equal(&digest, &source->sha256))
                return su_fail(err, SU_ERROR_BASELINE,
                               "'%s' in the tree has changed since the baseline was recorded",
                               source->path);
        *ret_fd = su_take_fd(&fd);
        return 0;
}

/* The repository itself holds each image, packed. It is unpacked into a file without a name. */
static int open_earlier(const struct su_job *job, int store_fd, int *ret_fd, struct su_error *err)
{
        su_auto_close int patch_fd = open(job->packed, O_RDONLY | O_CLOEXEC);
        su_auto_free char *temporary = NULL;
        su_auto_close int fd = -EBADF;
        int r;

        if (patch_fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", job->packed);
        r = su_results_temporary(job, getpid(), SU_RESULT_IMAGE, &temporary, err);
        if (r < 0)
                return r;
        fd = openat(store_fd, temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || unlinkat(store_fd, temporary, 0) < 0)
                return su_fail_errno(err, errno, "cannot unpack an earlier image");
        r = su_delta_apply(patch_fd, NULL, NULL, 0, fd, NULL, NULL, err);
        if (r >= 0)
                r = su_seal_verify(fd, "the image of an earlier level", &job->sources[0].image.seal,
                                   err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s", job->packed);
        *ret_fd = su_take_fd(&fd);
        return 0;
}

static int open_sources(const struct su_job *job, int store_fd, struct sources *ret,
                        struct su_error *err)
{
        su_auto_close int tree_fd = -EBADF;
        int r;

        ret->fds = calloc(job->n_sources + 1, sizeof *ret->fds);
        ret->names = calloc(job->n_sources + 1, sizeof *ret->names);
        if (!ret->fds || !ret->names)
                return su_fail_oom(err);
        r = su_dir_open(job->tree, &tree_fd, err);
        for (size_t i = 0; i < job->n_sources && r >= 0; i++) {
                const struct su_delta_source_ref *source = &job->sources[i];

                r = source->path ? open_file(tree_fd, source, &ret->fds[i], err)
                                 : open_earlier(job, store_fd, &ret->fds[i], err);
                if (r < 0)
                        return r;
                ret->names[i] = source->path ? source->path : "the image of an earlier level";
                ret->n = i + 1;
        }
        return r;
}

static int encode(const struct su_job *job, int store_fd, int patch_fd, struct su_error *err)
{
        su_auto(sources_done) struct sources sources = {0};
        su_auto_close int image_fd = open(job->image, O_RDONLY | O_CLOEXEC);
        int r;

        if (image_fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", job->image);
        r = open_sources(job, store_fd, &sources, err);
        if (r < 0)
                return r;
        return su_delta_make(sources.fds, sources.names, sources.n, image_fd, patch_fd,
                             job->fast ? SU_DELTA_FAST : SU_DELTA_BEST, err);
}

static int make(const struct su_job *job, int store_fd, struct su_error *err)
{
        su_auto_free char *temporary = NULL;
        su_auto_close int fd = -EBADF;
        int r;

        r = su_results_temporary(job, getpid(), SU_RESULT_DELTA, &temporary, err);
        if (r < 0)
                return r;
        fd = openat(store_fd, temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot create a delta");
        r = encode(job, store_fd, fd, err);
        if (r >= 0)
                return su_results_put(store_fd, job, temporary, fd, err);
        if (r == -EFBIG && job->is_trial) /* too much to be made from: it was only a try */
                return su_results_put(store_fd, job, NULL, -EBADF, err);
        return r;
}

int su_job_make(const struct su_job *job, int store_fd, bool *ret_was_there, struct su_error *err)
{
        struct su_result result;
        int r;

        *ret_was_there = su_results_find(store_fd, job, &result, NULL) >= 0 &&
                         (job->is_trial || !result.is_none);
        if (*ret_was_there)
                return 0;
        r = make(job, store_fd, err);
        if (r < 0)
                su_results_forget(store_fd, job, getpid());
        return r;
}
