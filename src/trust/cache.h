/* What a client trusts, in a directory: ROLE.json, the exact bytes last trusted, the role's name
 * percent-encoded; `time-floor`, `timestamp.etag`, and `recovery` while keys are replaced.
 *
 * Every write is complete and durable, or did not happen. One process at a time works on it.
 */
#pragma once

#include "trust/metadata.h"

/* The role's stored bytes, at most `max`; -ENOENT when there are none. */
int su_cache_read(int dir_fd, const char *role, size_t max, char **ret, size_t *ret_size,
                  struct su_error *err);
/* TOO_LARGE when the role's name is too long for a file. */
int su_cache_write(int dir_fd, const char *role, const char *text, size_t size,
                   struct su_error *err);

/* Store root version `version`, whose keys for timestamp or snapshot are others than before, and
 * drop what those signed (section 5.3.11): a kill in between is made up for by the next call of
 * su_cache_settle(). */
int su_cache_write_root_with_recovery(int dir_fd, const char *text, size_t size, int64_t version,
                                      struct su_error *err);
/* End a recovery that was cut off; `version` is that of the stored root. */
int su_cache_settle(int dir_fd, int64_t version, struct su_error *err);

/* The latest time at which fresh metadata was seen here (section 7.1): a clock that is before it is
 * wrong. 0: none. */
int64_t su_cache_time_floor(int dir_fd);
int su_cache_raise_time_floor(int dir_fd, int64_t now, struct su_error *err);

/* The server's name for the bytes of the stored timestamp; NULL: not known. */
int su_cache_etag(int dir_fd, char **ret, struct su_error *err);
int su_cache_set_etag(int dir_fd, const char *etag, struct su_error *err);
