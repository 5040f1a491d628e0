/* Requests to an object store, each signed (Signature Version 4, by libcurl), repeated when the
 * server or the network fails for a moment, and several at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "crypto/sha256.h"
#include "publish/upload/place.h"

enum su_s3_method { SU_S3_GET, SU_S3_PUT, SU_S3_DELETE };

struct su_s3_request {
        enum su_s3_method method;
        const char *path;  /* below the prefix; NULL: the bucket */
        const char *query; /* encoded, its names in order; or NULL */

        /* PUT: the file `file` of `dir_fd`. */
        int dir_fd;
        const char *file;
        const char *type;               /* Content-Type */
        const char *cache;              /* Cache-Control */
        const struct su_sha256 *digest; /* what it must have, or NULL */
};

struct su_s3_reply {
        char *body; /* NUL-terminated; NULL: the store has nothing of that name */
        size_t size;
};

struct su_s3;

/* `place` is the caller's and outlives it. */
int su_s3_new(const struct su_s3_place *place, struct su_s3 **ret, struct su_error *err);
void su_s3_free(struct su_s3 *s3);

static inline void su_s3_free_p(struct su_s3 **s3)
{
        su_s3_free(*s3);
}
#define su_auto_s3 su_auto(su_s3_free_p)

/* One. A refusal is told in the server's own words: PERMISSION, or UNREACHABLE when it has no time
 * for us even after several tries. `ret` may be NULL. */
int su_s3_ask(struct su_s3 *s3, const struct su_s3_request *request, struct su_s3_reply *ret,
              struct su_error *err);

/* All, `parallel` at a time, in no order; none after one has failed. */
int su_s3_ask_all(struct su_s3 *s3, const struct su_s3_request *requests, size_t n, size_t parallel,
                  struct su_error *err);
