/* The mount table of a process, from /proc/PID/mountinfo (proc(5)): the kernel's word. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

struct su_mount {
        uint64_t id;
        uint64_t parent;
        const char *device; /* "259:1" */
        const char *root;   /* the directory of that file system which is mounted */
        const char *path;   /* the mount point, as seen by that process */
        const char *type;
        const char *source;
};

/* In the kernel's order. The strings lie in `text`. */
struct su_mount_table {
        struct su_mount *mounts;
        size_t n_mounts;
        char *text;
};

/* `process_fd` is an open /proc/PID. */
int su_mount_table_read(int process_fd, struct su_mount_table *ret, struct su_error *err);
int su_mount_table_read_self(struct su_mount_table *ret, struct su_error *err);
void su_mount_table_done(struct su_mount_table *table);
#define su_auto_mount_table su_auto(su_mount_table_done)

/* The mount that `path` lies on in this namespace; NULL when it cannot be seen from here: in a
 * chroot, what the root itself lies on. */
int su_mount_of_path(const struct su_mount_table *table, const char *path,
                     const struct su_mount **ret, struct su_error *err);

/* NULL: there is none. */
const struct su_mount *su_mount_find(const struct su_mount_table *table, uint64_t id);

/* `path` is `below`, or lies below it. */
bool su_path_is_below(const char *path, const char *below);
/* Whether `mount` hangs, over any number of others, on the mount `ancestor`. */
bool su_mount_is_below(const struct su_mount_table *table, const struct su_mount *mount,
                       uint64_t ancestor);
