/* Grow a log of static files: which files must be written, with what bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "transparency/tiles.h"

/* Write a file below the log's prefix. */
typedef int (*su_tiles_put)(void *userdata, const char *path, const void *data, size_t size,
                            struct su_error *err);
struct su_tiles_writer {
        su_tiles_put put;
        void *userdata;
};

/* Append entries to the log of `old_size` entries and `old_root` that `reader` shows, and return
 * its new root. Only the right edge of the old log is read, and it must be what `old_root` says
 * (DIGEST). Entries come before the tiles that hash them; nothing that the old checkpoint needs is
 * written anew, so that a log which was cut off here is still the old one. TOO_LARGE for an entry
 * that does not fit, before anything is written. */
int su_tiles_append(const struct su_tiles_reader *reader, const struct su_tiles_writer *writer,
                    uint64_t old_size, const struct su_sha256 *old_root,
                    const struct su_log_entry *entries, size_t n, struct su_sha256 *ret_root,
                    struct su_error *err);
