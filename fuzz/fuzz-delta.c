/* A hostile body of a delta over fixed sources: text, and a small module of each machine. The first
 * bytes of an input are the head's; digests are not asked for, so that what is behind them is
 * reached. What is yielded is no more than was declared, and the same at the next time.
 *
 * An input: a byte of the method (bits 0, 1) and the sources (bits 2 to 4, one of the sets below),
 * two of the target's size, the body. */
#include <string.h>

#include "fuzz-delta.h"

static struct fuzz_delta_sources sources[FUZZ_DELTA_SETS];

static int decode(const struct su_delta_job *job, struct su_sha256 *ret)
{
        su_auto_sha256_stream struct su_sha256_stream *hash = NULL;
        int r;

        fuzz_check(su_sha256_stream_new(&hash, NULL) >= 0);
        job->sink->hash = hash;
        job->sink->written = 0;
        r = su_delta_decode(job, NULL);
        fuzz_check(job->sink->written <= job->sink->expected);
        if (r >= 0)
                fuzz_check(su_sha256_stream_finish(hash, ret, NULL) >= 0);
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct su_delta_header header = {0};
        struct su_delta_sink sink = {.fd = -1};
        struct su_delta_job job = {.header = &header, .sink = &sink};
        struct su_sha256 first, second;

        if (!sources[0].space.data)
                for (unsigned i = 0; i < FUZZ_DELTA_SETS; i++)
                        fuzz_delta_sources_make(i, &sources[i]);
        if (size < FUZZ_DELTA_HEAD)
                return 0;
        header.method = (enum su_delta_method)(data[0] & 3);
        header.target_size = fuzz_delta_size(data[1] | (unsigned)data[2] << 8);
        sink.expected = header.target_size;
        job.space = &sources[(data[0] >> 2 & 7) % FUZZ_DELTA_SETS].space;
        job.body = data + FUZZ_DELTA_HEAD;
        job.body_size = size - FUZZ_DELTA_HEAD;
        if (decode(&job, &first) < 0)
                return 0;
        fuzz_check(decode(&job, &second) >= 0);
        fuzz_check(su_sha256_equal(&first, &second));
        return 0;
}
