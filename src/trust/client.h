/* The TUF client workflow (specification section 5) over a repository that is reached through a
 * transport, with its trusted metadata in a directory of the device (cache.h).
 *
 * Everything that the specification asks of a client is here: the root chain, thresholds, rollback,
 * freeze and mix-and-match, fast-forward recovery, consistent snapshots or none, delegations with
 * paths, path hash prefixes and hash bins (TAP 15).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "trust/meta.h"

/* The two halves of a repository; each has a base URL of its own. */
enum su_repository_part { SU_PART_METADATA, SU_PART_TARGETS };

struct su_transport_answer {
        char *data; /* NULL: not modified */
        size_t size;
        char *etag; /* NULL: the server gave none */
};

/* `name` is relative to the part's base and percent-encoded. NOT_FOUND (-ENOENT) when the
 * repository has no such file; at most `max` bytes come back. */
struct su_transport {
        int (*get)(void *userdata, enum su_repository_part part, const char *name, size_t max,
                   char **ret_data, size_t *ret_size, struct su_error *err);
        /* The same unless the file is still the one that had this `etag` (may be NULL). Only
         * su_trust_refresh_if_changed() wants it. */
        int (*get_if_changed)(void *userdata, enum su_repository_part part, const char *name,
                              size_t max, const char *etag, struct su_transport_answer *ret,
                              struct su_error *err);
        /* Exactly `size` bytes to `fd`. Only su_trust_get_to_fd() wants it. */
        int (*get_to_fd)(void *userdata, enum su_repository_part part, const char *name,
                         uint64_t size, int fd, struct su_error *err);
        void *userdata;
};

struct su_trust;

struct su_target {
        uint64_t size;
        struct su_hashes hashes;
};

/* Trust begins with a root that the device got with its OS: store `root` as the trusted one. Does
 * nothing when a root is already there. */
int su_trust_init(int metadata_fd, const char *root, size_t size, struct su_error *err);

/* Load the trusted root. `metadata_fd` stays the caller's, who sees to it that no other process
 * works on the directory. CONFIG when there is no root. */
int su_trust_open(int metadata_fd, struct su_trust **ret, struct su_error *err);
void su_trust_free(struct su_trust *trust);

/* The whole workflow up to the targets role, at the reference time `now` (seconds since 1970; the
 * time floor, when that is later). `transport` is copied, and used by the calls below. Each step
 * that is trusted is stored before the next. SIGNATURE, ROLLBACK, EXPIRED, FORMAT, DIGEST,
 * TRUNCATED say what is wrong; what was trusted before stays trusted. */
int su_trust_refresh(struct su_trust *trust, const struct su_transport *transport, int64_t now,
                     struct su_error *err);

/* The same by one request where nothing is new: when the server says that the timestamp is the one
 * that is trusted, and nothing that hangs on it is missing or expired, that is all. Otherwise the
 * whole workflow, and at least once a week. A publisher that replaces the root signs a new
 * timestamp, too. */
int su_trust_refresh_if_changed(struct su_trust *trust, const struct su_transport *transport,
                                int64_t now, struct su_error *err);

/* Look a target up, from the targets role through its delegations; fetches the metadata of
 * delegated roles as far as needed. Returns 1, or 0 when nobody signs it. An error when a role that
 * was needed to know that is missing or bad: no other is asked then. */
int su_trust_find(struct su_trust *trust, const char *path, struct su_target *ret,
                  struct su_error *err);

/* Look a target of at most `max` bytes up, fetch it, and check it. `ret_data` has one more byte, a
 * NUL. NOT_FOUND, too, when nobody signs it. */
int su_trust_get(struct su_trust *trust, const char *path, size_t max, char **ret_data,
                 size_t *ret_size, struct su_error *err);
/* Fetch what su_trust_find() found into the empty file `fd`, and check it: nothing may be done with
 * its bytes before. */
int su_trust_get_to_fd(struct su_trust *trust, const char *path, const struct su_target *target,
                       int fd, struct su_error *err);

/* When what is trusted of the four top-level roles expires first; after a refresh. */
int64_t su_trust_expires(const struct su_trust *trust);

static inline void su_trust_free_p(struct su_trust **trust)
{
        su_trust_free(*trust);
}
#define su_auto_trust su_auto(su_trust_free_p)
