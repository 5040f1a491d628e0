/* What the two ways of fetching have in common: libcurl here (transfer.h), or in a worker
 * (remote.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct su_request {
        const char *path;
        uint64_t max;     /* bytes that the answer may have */
        const char *etag; /* an entity tag: only if the file is another one; or NULL */
        uint64_t offset;  /* so much of it is here: only what comes behind is asked for */
        bool is_exact;    /* a file: TRUNCATED when it has less than `max` */
        const void *body; /* NULL unless it is posted: then any status is an answer */
        size_t body_size;
};

/* Where the bytes go. */
struct su_sink {
        int (*write)(void *userdata, const void *data, size_t size, struct su_error *err);
        /* The server sends all of it: what is here already is to be dropped. */
        int (*restart)(void *userdata, struct su_error *err);
        /* Told now and then how much there is; a failure ends it. */
        int (*progress)(void *userdata, uint64_t done, struct su_error *err);
        void *userdata;
};

struct su_result {
        uint64_t received; /* this time; also of what failed */
        long status;       /* of HTTP; 0: it was a file */
        char *etag;        /* the caller frees; NULL: it had none that can be asked for */
};

/* One entity tag (RFC 9110, section 8.8.3), of ASCII. Anything else would be another question: '*',
 * or a list of tags, may hold for whatever the server has from now on. */
bool su_is_entity_tag(const char *text);

/* How long a request may take, however steadily its bytes trickle in. */
unsigned su_request_time_max_s(const struct su_request *request);
