/* The build-ids of what a process has mapped as code.
 *
 * Files of user-space and network file systems are never read, for their server could make the
 * reader wait for ever: they are counted as unread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/own.h"
#include "inventory/build_id.h"

struct su_mapping {
        uint64_t start;
        uint64_t end;
        dev_t device; /* of the file, as the kernel numbers it in this table */
        struct su_build_id id;
};

typedef int (*su_procmap_visit)(void *userdata, const struct su_mapping *mapping,
                                struct su_error *err);

/* What one scan has learned of devices and files: many processes map the same few. Only for one
 * scan; later the numbers may stand for others. */
struct su_procmap_cache {
        dev_t trusted; /* a device that is read whatever it is: the OS tree's own */
        void *devices;
        void *build_ids;
        size_t n_unread; /* mappings that were not looked into */
};

void su_procmap_cache_done(struct su_procmap_cache *cache);

/* Visit each executable file mapping that has a build-id; one file may come several times. A
 * process that ends meanwhile is no error. `never_query` keeps to the way of kernels before 6.11.
 */
int su_procmap_walk(int process_fd, bool never_query, struct su_procmap_cache *cache,
                    su_procmap_visit visit, void *userdata, struct su_error *err);

/* Whether no path leads to the mapped file any more. */
bool su_mapping_is_deleted(int process_fd, const struct su_mapping *mapping);
