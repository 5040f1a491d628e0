/* The TUF client workflow (specification section 5) over a repository that is reached through a
 * transport, with its trusted metadata in a directory of the device.
 *
 * The repository: metadata/N.root.json, metadata/timestamp.json, metadata/N.snapshot.json,
 * metadata/N.targets.json, targets/DIR/SHA256.NAME. The directory: ROLE.json, the bytes last
 * trusted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "crypto/sha256.h"

struct su_transport {
        /* NOT_FOUND (-ENOENT) when the repository has no such file; at most `max` bytes. */
        int (*get)(void *userdata, const char *path, size_t max, char **ret_data, size_t *ret_size,
                   struct su_error *err);
        void *userdata;
};

struct su_trust;

struct su_target {
        uint64_t size;
        struct su_sha256 sha256;
};

/* Trust begins with a root that the device got with its OS: store `root` as the trusted one. Does
 * nothing when a root is already there. */
int su_trust_init(int metadata_fd, const char *root, size_t size, struct su_error *err);

/* Load what is trusted. `metadata_fd` stays the caller's. CONFIG when there is no root. */
int su_trust_open(int metadata_fd, struct su_trust **ret, struct su_error *err);
void su_trust_free(struct su_trust *trust);

/* The whole workflow at the reference time `now` (seconds since 1970). Each step that is trusted is
 * stored before the next. SIGNATURE, ROLLBACK, EXPIRED, FORMAT, DIGEST, TRUNCATED say what is
 * wrong; what was trusted before stays trusted. */
int su_trust_refresh(struct su_trust *trust, const struct su_transport *transport, int64_t now,
                     struct su_error *err);

/* Look a target up in the trusted targets metadata; valid after su_trust_refresh(). */
int su_trust_find(const struct su_trust *trust, const char *path, struct su_target *ret,
                  struct su_error *err);

/* Fetch a target of at most `max` bytes and check it. */
int su_trust_get(const struct su_trust *trust, const struct su_transport *transport,
                 const char *path, size_t max, char **ret_data, size_t *ret_size,
                 struct su_error *err);

static inline void su_trust_free_p(struct su_trust **trust)
{
        su_trust_free(*trust);
}
#define su_auto_trust su_auto(su_trust_free_p)
