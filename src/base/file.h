/* Files, always by directory descriptor; writes are complete and durable or did not happen. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/own.h"

/* Open the directory `path` (not confined). */
int su_dir_open(const char *path, int *ret_fd, struct su_error *err);

/* Open `path` below `root_fd` as if that were "/": neither ".." nor a symbolic link leads out of it
 * (openat2(2), RESOLVE_IN_ROOT). -errno without touching `err` when it is NULL. */
int su_open_in_root(int root_fd, const char *path, int flags, int *ret_fd, struct su_error *err);

/* Make `path` and its parents below `dir_fd`, again as if that were "/", and open it. Existing
 * directories keep their mode. */
int su_dir_make(int dir_fd, const char *path, mode_t mode, int *ret_fd, struct su_error *err);

/* A whole file, at most `max` bytes (TOO_LARGE above); `ret_data` has one more byte, a NUL. */
int su_file_read(int dir_fd, const char *name, size_t max, char **ret_data, size_t *ret_size,
                 struct su_error *err);
int su_file_read_fd(int fd, const char *name, size_t max, char **ret_data, size_t *ret_size,
                    struct su_error *err);

/* Replace `name` by `data`: write under a temporary name, fsync, rename, fsync the directory. */
int su_file_write(int dir_fd, const char *name, const void *data, size_t size, mode_t mode,
                  struct su_error *err);

/* Give the finished file `temporary` (open as `fd`) its name, durably: fsync, rename, fsync. */
int su_file_publish(int dir_fd, int fd, const char *temporary, const char *name,
                    struct su_error *err);

int su_write_all(int fd, const void *data, size_t size, const char *name, struct su_error *err);

/* What there is of the `size` bytes at `offset`: less at the end of the file. */
int su_read_at(int fd, void *data, size_t size, uint64_t offset, const char *name, size_t *ret_size,
               struct su_error *err);
/* Exactly `size` bytes at `offset`; TRUNCATED when the file ends before. */
int su_read_exact_at(int fd, void *data, size_t size, uint64_t offset, const char *name,
                     struct su_error *err);

/* Copy all of `from_fd`, from its start, to `to_fd`. */
int su_copy_all(int from_fd, int to_fd, const char *name, struct su_error *err);

/* Make the entry `name` itself durable: fsync the directory that holds it. */
int su_sync_parent(int dir_fd, const char *name, struct su_error *err);

/* Remove `name` below `dir_fd` and, when it is a directory, everything in it; links are removed,
 * not followed; other file systems are not entered. A missing name is no error. */
int su_remove_tree(int dir_fd, const char *name, struct su_error *err);

/* Free bytes that an unprivileged user could take on the file system of `fd`. */
int su_free_space(int fd, uint64_t *ret_bytes, struct su_error *err);
