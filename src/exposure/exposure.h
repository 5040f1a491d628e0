/* Which running processes still map code that was replaced: found by ELF build-id.
 *
 * Neither "(deleted)" nor device and inode numbers tell old from new below an overlay; the build-id
 * does. It comes from the kernel (PROCMAP_QUERY, Linux 6.11), or from the ELF note of the mapped
 * file itself, opened through /proc/PID/map_files. Nothing else of the process is read or trusted;
 * its name is only shown.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/own.h"
#include "exposure/owner.h"
#include "exposure/place.h"
#include "inventory/build_id.h"

/* A build that nothing should run any more. The strings belong to whoever made the set. */
struct su_old_code {
        struct su_build_id id;
        const char *component;
        const char *path;
        const char *notice; /* what its users should know; may be NULL */
};

struct su_old_code_set {
        struct su_old_code *codes; /* sorted by id */
        size_t n_codes;
};

int su_old_code_add(struct su_old_code_set *set, const struct su_old_code *code,
                    struct su_error *err);
void su_old_code_sort(struct su_old_code_set *set);
void su_old_code_done(struct su_old_code_set *set);
#define su_auto_old_code su_auto(su_old_code_done)

#define SU_COMMAND_SIZE 16

struct su_exposed_process {
        pid_t pid;
        pid_t leader; /* the exposed process of the tree that started it, over any number of others;
                         itself when there is none */
        uid_t uid;
        char command[SU_COMMAND_SIZE]; /* made harmless for a terminal */
        enum su_place place;
        bool deleted; /* the old file has no path any more */
        const struct su_old_code **codes;
        size_t n_codes;
        struct su_owner owner; /* filled in by the survey */
};

/* Why it is exposed still: the end of a sentence that begins with the process. */
const char *su_exposed_why(const struct su_exposed_process *process);
/* The same as a sentence. */
int su_exposed_tell(const struct su_exposed_process *process, char **ret, struct su_error *err);
bool su_exposed_is_reached(const struct su_exposed_process *process);

struct su_exposure {
        struct su_exposed_process *processes; /* by pid */
        size_t n_processes;
        size_t n_scanned;
        size_t n_unread; /* mappings of user-space and network file systems, which are not read */
};

struct su_scan_options {
        bool never_query; /* as on a kernel before 6.11; for tests */
};

/* Scan every process below /proc but this one. `root` is the path of the OS tree whose programs are
 * meant. Processes that end meanwhile are not exposed. PERMISSION when a process cannot be looked
 * at: an incomplete answer would be a wrong one. `set` must outlive the result. */
int su_exposure_scan(const char *root, const struct su_old_code_set *set,
                     const struct su_scan_options *options, struct su_exposure *ret,
                     struct su_error *err);
void su_exposure_done(struct su_exposure *exposure);
#define su_auto_exposure su_auto(su_exposure_done)

/* Processes that the improvement reaches. */
size_t su_exposure_count(const struct su_exposure *exposure);
