#include "delta/apply/decode.h"

#include <stdlib.h>

#include "base/file.h"

#define PIECE (128 * 1024)

int su_delta_sink_write(struct su_delta_sink *sink, const uint8_t *data, size_t size,
                        struct su_error *err)
{
        int r;

        if (size > sink->expected - sink->written)
                return su_fail(err, SU_ERROR_DELTA, "the delta yields more than it declares");
        r = su_sha256_stream_update(sink->hash, data, size, err);
        if (r >= 0 && sink->fd >= 0)
                r = su_write_all(sink->fd, data, size, "target", err);
        if (r < 0)
                return r;
        sink->written += size;
        if (sink->progress && sink->progress(sink->userdata, sink->written, sink->expected))
                return su_fail(err, SU_ERROR_CANCELLED, "cancelled");
        return 0;
}

static int decode_stored(const struct su_delta_job *job, struct su_error *err)
{
        for (size_t at = 0; at < job->body_size; at += PIECE) {
                size_t n = job->body_size - at < PIECE ? job->body_size - at : PIECE;
                int r = su_delta_sink_write(job->sink, job->body + at, n, err);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* The window, for which zstd asks memory, is bounded by what the head declares. */
static int decode_zstd(const struct su_delta_job *job, struct su_error *err)
{
        su_auto_unpacker struct su_unpacker *unpacker = NULL;
        su_auto_free uint8_t *piece = malloc(PIECE);
        size_t n = 0;
        int r;

        if (!piece)
                return su_fail_oom(err);
        r = su_unpacker_new(job->body, job->body_size,
                            su_delta_window_log(job->space->size + job->header->target_size),
                            job->space->data, job->space->size, &unpacker, err);
        while (r >= 0) {
                r = su_unpacker_read(unpacker, piece, PIECE, &n, err);
                if (r < 0 || n == 0)
                        break;
                r = su_delta_sink_write(job->sink, piece, n, err);
        }
        return r < 0 ? r : su_unpacker_finish(unpacker, err);
}

int su_delta_decode(const struct su_delta_job *job, struct su_error *err)
{
        switch (job->header->method) {
        case SU_DELTA_STORED:
                return decode_stored(job, err);
        case SU_DELTA_ZSTD:
                return decode_zstd(job, err);
        default:
                return su_delta_decode_parts(job, err);
        }
}
