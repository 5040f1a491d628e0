/* Where to upload, and as whom. */
#pragma once

#include "base/error.h"
#include "base/own.h"

struct su_s3_place {
        char *bucket;
        char *prefix; /* "" or "a/b/" */
        char *url;    /* of the bucket, without a trailing slash */
        char *region;
        char *key_id;
        char *secret;
        char *token; /* of a session; NULL: there is none */
};

/* `where` is s3://BUCKET[/PREFIX]; `endpoint` and `region` are what the command line says, or NULL:
 * then the environment does. The credentials are never anywhere else: everybody can read a command
 * line. USAGE or CONFIG otherwise. */
int su_s3_place_find(const char *where, const char *endpoint, const char *region,
                     struct su_s3_place *ret, struct su_error *err);
void su_s3_place_done(struct su_s3_place *place);
#define su_auto_s3_place su_auto(su_s3_place_done)
