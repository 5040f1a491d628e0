/* Get files of a repository: over http(s), or from a directory (file://). libcurl does the work, in
 * a worker if that is wanted.
 *
 * Paths are relative to the repository's base URL. Nothing here trusts what comes back; sizes are
 * capped while bytes arrive.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

struct su_fetch;

struct su_fetch_totals {
        uint64_t requests;
        uint64_t bytes; /* bodies received */
};

/* Told now and then how much of the present file is here; a failure ends it. */
typedef int (*su_fetch_progress)(void *userdata, uint64_t done, struct su_error *err);

/* CONFIG when the URL is not http://, https:// or file://. It is used as it is, but for slashes at
 * its end; paths are to be percent-encoded. */
int su_fetch_new(const char *base_url, struct su_fetch **ret, struct su_error *err);
struct su_fetch_options {
        const char *base_url;
        const char *proxy; /* NULL: what the environment of who fetches says (libcurl(3)) */
        uint64_t max_rate; /* bytes per second; 0: as fast as it goes */
        bool is_confined; /* what comes over a network is received in a worker (sandbox/worker.h) */
        const char *socket_path; /* ... of the service that listens there; NULL: in one of ours */
};
int su_fetch_new_with(const struct su_fetch_options *options, struct su_fetch **ret,
                      struct su_error *err);
/* End the worker until there is a next request. */
void su_fetch_rest(struct su_fetch *fetch);
void su_fetch_free(struct su_fetch *fetch);
void su_fetch_set_progress(struct su_fetch *fetch, su_fetch_progress progress, void *userdata);

/* At most `max` bytes into memory; one more byte, a NUL, follows. NOT_FOUND when the repository
 * says that there is no such file, UNREACHABLE when it gives no answer or a useless one, TRUNCATED
 * when the transfer broke off, TOO_LARGE above `max`, WORKER when the worker was ended. */
int su_fetch_to_memory(struct su_fetch *fetch, const char *path, size_t max, char **ret_data,
                       size_t *ret_size, struct su_error *err);

/* The same, unless the file is still the one that the server gave the name `etag` (NULL, or no
 * entity tag of RFC 9110, section 8.8.3: not asked): then `data` is NULL. `etag` of the answer is
 * NULL when the server gave none, as file:// never does. */
struct su_fetch_answer {
        char *data;
        size_t size;
        char *etag;
};
int su_fetch_if_changed(struct su_fetch *fetch, const char *path, size_t max, const char *etag,
                        struct su_fetch_answer *ret, struct su_error *err);

/* Exactly `size` bytes to `fd`; TRUNCATED or TOO_LARGE when the file has another size. */
int su_fetch_to_fd(struct su_fetch *fetch, const char *path, uint64_t size, int fd,
                   struct su_error *err);

/* The same, where `fd` is positioned behind the first `offset` bytes, which it has already: only
 * the rest is asked for, and when the server sends all of it, all is written anew. FORMAT when it
 * sends something else. Whether what was there belongs to the file is for the caller to find out.
 */
int su_fetch_rest_to_fd(struct su_fetch *fetch, const char *path, uint64_t size, uint64_t offset,
                        int fd, struct su_error *err);

/* Send `body`, and take the answer whatever its status says: at most `max` bytes, then a NUL. */
struct su_fetch_reply {
        long status;
        char *data;
        size_t size;
};
int su_fetch_post(struct su_fetch *fetch, const char *path, const void *body, size_t size,
                  size_t max, struct su_fetch_reply *ret, struct su_error *err);

struct su_fetch_totals su_fetch_totals(const struct su_fetch *fetch);

static inline void su_fetch_free_p(struct su_fetch **fetch)
{
        su_fetch_free(*fetch);
}
#define su_auto_fetch su_auto(su_fetch_free_p)
