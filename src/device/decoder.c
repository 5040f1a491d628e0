#include "device/decoder.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/own.h"
#include "delta/apply/apply.h"
#include "sandbox/job.h"

/* What the program has mapped itself, and what decoding takes besides what follows from sizes. */
#define MEMORY_BASE (UINT64_C(512) << 20)
/* Decoding is some fifty times as fast. Others may have the processors meanwhile. */
#define SLOWEST_BYTES_PER_S (64 * 1024)
#define CPU_BASE_S 300
#define SHARE_OF_CPU 4

/* What is too large is refused before it is written: then the error names it. */
static int check_size(const struct su_decoder *decoder, struct su_error *err)
{
        su_auto_delta_header struct su_delta_header header = {0};
        int r;

        r = su_delta_header_read(decoder->patch_fd, &header, err);
        if (r < 0)
                return r;
        return header.target_size <= decoder->image_size
                       ? 0
                       : su_fail(err, SU_ERROR_SEAL, "the delta makes an image of the wrong size");
}

/* In the worker. */
static int decode(void *userdata, su_job_progress progress, void *teller, struct su_error *err)
{
        const struct su_decoder *decoder = userdata;
        int r;

        r = check_size(decoder, err);
        return r < 0 ? r
                     : su_delta_apply(decoder->patch_fd, decoder->source_fds, decoder->source_names,
                                      decoder->n_sources, decoder->image_fd, progress, teller, err);
}

static int add_size(int fd, uint64_t *bytes, struct su_error *err)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at what a delta is decoded from");
        *bytes += (uint64_t)st.st_size;
        return 0;
}

/* Sources and delta are mapped; a frame of zstd may ask for a window over sources and target, a
 * power of two. */
static int set_limits(const struct su_decoder *decoder, struct su_job *job, struct su_error *err)
{
        uint64_t patch = 0, sources = 0;
        uint64_t bytes;
        int r;

        r = add_size(decoder->patch_fd, &patch, err);
        for (size_t i = 0; i < decoder->n_sources && r >= 0; i++)
                r = add_size(decoder->source_fds[i], &sources, err);
        if (r < 0)
                return r;
        bytes = sources + decoder->image_size;
        job->worker.memory_max = MEMORY_BASE + patch + sources + 2 * bytes;
        job->worker.file_max = decoder->image_size;
        job->worker.cpu_max_s = CPU_BASE_S + bytes / SLOWEST_BYTES_PER_S;
        job->time_max_s = (unsigned)(job->worker.cpu_max_s * SHARE_OF_CPU);
        return 0;
}

int su_decoder_run(const struct su_decoder *decoder, struct su_error *err)
{
        su_auto_free int *fds = calloc(decoder->n_sources + 2, sizeof *fds);
        struct su_decoder theirs = *decoder;
        struct su_job job = {
                .worker = {.name = "decoder",
                           .kind = SU_WORKER_COMPUTES,
                           .fds = fds,
                           .n_fds = decoder->n_sources + 2},
                .work = decode,
                .userdata = &theirs,
                .progress = decoder->progress,
                .listener = decoder->userdata,
        };
        int r;

        if (!fds)
                return su_fail_oom(err);
        fds[0] = decoder->patch_fd;
        fds[1] = decoder->image_fd;
        for (size_t i = 0; i < decoder->n_sources; i++)
                fds[i + 2] = decoder->source_fds[i];
        r = set_limits(decoder, &job, err);
        return r < 0 ? r : su_job_run(&job, err);
}
