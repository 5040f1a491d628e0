/* Within this room: a delta's body, by method. */
#pragma once

#include "delta/apply/apply.h"
#include "delta/apply/space.h"

/* Where decoded bytes go: counted, hashed, written. */
struct su_delta_sink {
        int fd; /* negative: nowhere */
        uint64_t expected, written;
        struct su_sha256_stream *hash;
        su_delta_progress progress;
        void *userdata;
};

struct su_delta_job {
        const struct su_delta_header *header;
        const struct su_space *space;
        const uint8_t *body;
        size_t body_size;
        struct su_delta_sink *sink;
        struct su_delta_account *account; /* or NULL */
};

int su_delta_decode(const struct su_delta_job *job, struct su_error *err);
int su_delta_decode_parts(const struct su_delta_job *job, struct su_error *err);

int su_delta_sink_write(struct su_delta_sink *sink, const uint8_t *data, size_t size,
                        struct su_error *err);

/* A zstd frame that lacks its magic; `window_log` bounds what it may ask for. */
struct su_unpacker;

int su_unpacker_new(const uint8_t *data, size_t size, int window_log, const uint8_t *prefix,
                    size_t prefix_size, struct su_unpacker **ret, struct su_error *err);
void su_unpacker_free(struct su_unpacker *unpacker);
static inline void su_unpacker_free_p(struct su_unpacker **unpacker)
{
        su_unpacker_free(*unpacker);
}
#define su_auto_unpacker su_auto(su_unpacker_free_p)

/* Up to `size` bytes; *ret_size 0 at the frame's end. */
int su_unpacker_read(struct su_unpacker *unpacker, uint8_t *to, size_t size, size_t *ret_size,
                     struct su_error *err);
/* The frame is at its end, and nothing follows it. */
int su_unpacker_finish(struct su_unpacker *unpacker, struct su_error *err);
