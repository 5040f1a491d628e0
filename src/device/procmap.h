/* The build-ids of what a process has mapped as code. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "inventory/build_id.h"

struct su_mapping {
        uint64_t start;
        uint64_t end;
        struct su_build_id id;
};

typedef int (*su_procmap_visit)(void *userdata, const struct su_mapping *mapping,
                                struct su_error *err);

/* The build-ids of files that were read before, by device and inode number: many processes map the
 * same few libraries. For one scan only; later the numbers may stand for other files. */
struct su_build_id_cache {
        void *tree;
};

void su_build_id_cache_done(struct su_build_id_cache *cache);

/* Visit each executable file mapping that has a build-id; one file may come several times. A
 * process that ends meanwhile is no error. `never_query` keeps to the way of kernels before 6.11,
 * which reads the files themselves and uses `cache`. */
int su_procmap_walk(int process_fd, bool never_query, struct su_build_id_cache *cache,
                    su_procmap_visit visit, void *userdata, struct su_error *err);

/* Whether no path leads to the mapped file any more. */
bool su_mapping_is_deleted(int process_fd, const struct su_mapping *mapping);
