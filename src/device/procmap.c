#include "device/procmap.h"

#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/own.h"

/* linux/fs.h of 6.11; Debian 12's headers do not have it yet. */
struct procmap_query {
        uint64_t size;
        uint64_t query_flags;
        uint64_t query_addr;
        uint64_t vma_start;
        uint64_t vma_end;
        uint64_t vma_flags;
        uint64_t vma_page_size;
        uint64_t vma_offset;
        uint64_t inode;
        uint32_t dev_major;
        uint32_t dev_minor;
        uint32_t vma_name_size;
        uint32_t build_id_size;
        uint64_t vma_name_addr;
        uint64_t build_id_addr;
};

#define PROCMAP_QUERY_IOCTL _IOWR('f', 17, struct procmap_query)
#define LINK_SIZE 64

#define QUERY_EXECUTABLE 0x04
#define QUERY_COVERING_OR_NEXT 0x10
#define QUERY_FILE_BACKED 0x20

static bool process_ended(int errnum)
{
        return errnum == ENOENT || errnum == ESRCH;
}

/* -ENOTTY when the kernel has no such query. */
static int walk_by_query(int maps_fd, su_procmap_visit visit, void *userdata, struct su_error *err)
{
        uint64_t address = 0;

        for (;;) {
                struct su_mapping mapping = {0};
                struct procmap_query query = {
                        .size = sizeof query,
                        .query_flags =
                                QUERY_EXECUTABLE | QUERY_COVERING_OR_NEXT | QUERY_FILE_BACKED,
                        .query_addr = address,
                        .build_id_size = sizeof mapping.id.bytes,
                        .build_id_addr = (uint64_t)(uintptr_t)mapping.id.bytes,
                };
                int r;

                if (ioctl(maps_fd, PROCMAP_QUERY_IOCTL, &query) < 0) {
                        if (process_ended(errno))
                                return 0; /* nothing more, or no process any more */
                        if (errno == ENOTTY || errno == EINVAL)
                                return -ENOTTY;
                        return su_fail_errno(err, errno, "cannot query its mappings");
                }
                if (query.build_id_size > 0 && query.build_id_size <= sizeof mapping.id.bytes) {
                        mapping.start = query.vma_start;
                        mapping.end = query.vma_end;
                        mapping.id.size = (uint8_t)query.build_id_size;
                        r = visit(userdata, &mapping, err);
                        if (r < 0)
                                return r;
                }
                address = query.vma_end;
        }
}

static void name_link(const struct su_mapping *mapping, char ret[static LINK_SIZE])
{
        (void)snprintf(ret, LINK_SIZE, "map_files/%" PRIx64 "-%" PRIx64, mapping->start,
                       mapping->end);
}

bool su_mapping_is_deleted(int process_fd, const struct su_mapping *mapping)
{
        char link[LINK_SIZE];
        struct stat st;

        name_link(mapping, link);
        return fstatat(process_fd, link, &st, 0) == 0 && st.st_nlink == 0;
}

struct cached {
        dev_t device;
        ino_t inode;
        struct su_build_id id;
};

static int compare_cached(const void *a, const void *b)
{
        const struct cached *left = a;
        const struct cached *right = b;

        if (left->device != right->device)
                return left->device < right->device ? -1 : 1;
        return (left->inode > right->inode) - (left->inode < right->inode);
}

void su_build_id_cache_done(struct su_build_id_cache *cache)
{
        tdestroy(cache->tree, free);
        cache->tree = NULL;
}

static const struct cached *find_cached(const struct su_build_id_cache *cache,
                                        const struct stat *st)
{
        const struct cached wanted = {.device = st->st_dev, .inode = st->st_ino};
        struct cached *const *found = tfind(&wanted, &cache->tree, compare_cached);

        return found ? *found : NULL;
}

static int remember(struct su_build_id_cache *cache, const struct stat *st,
                    const struct su_build_id *id, struct su_error *err)
{
        struct cached *cached = malloc(sizeof *cached);

        if (!cached)
                return su_fail_oom(err);
        *cached = (struct cached){st->st_dev, st->st_ino, *id};
        if (tsearch(cached, &cache->tree, compare_cached))
                return 0;
        free(cached);
        return su_fail_oom(err);
}

static int read_build_id(int process_fd, const char *link, const struct stat *st,
                         struct su_build_id_cache *cache, struct su_build_id *ret,
                         struct su_error *err)
{
        su_auto_close int fd = openat(process_fd, link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        int r;

        *ret = (struct su_build_id){0};
        if (fd < 0)
                return process_ended(errno) ? 0 : su_fail_errno(err, errno, "cannot open %s", link);
        r = su_build_id_read(fd, link, ret, NULL, err);
        return r < 0 ? r : remember(cache, st, ret, err);
}

/* Through the link that the kernel keeps to the mapped file itself, whatever its path says by now.
 * Only regular files: opening a device could have effects. */
static int visit_file(int process_fd, struct su_mapping *mapping, struct su_build_id_cache *cache,
                      su_procmap_visit visit, void *userdata, struct su_error *err)
{
        const struct cached *cached;
        char link[LINK_SIZE];
        struct stat st;
        int r = 0;

        name_link(mapping, link);
        if (fstatat(process_fd, link, &st, 0) < 0)
                return process_ended(errno) ? 0
                                            : su_fail_errno(err, errno, "cannot look at %s", link);
        if (!S_ISREG(st.st_mode))
                return 0;
        cached = find_cached(cache, &st);
        if (cached)
                mapping->id = cached->id;
        else
                r = read_build_id(process_fd, link, &st, cache, &mapping->id, err);
        if (r < 0 || mapping->id.size == 0)
                return r;
        return visit(userdata, mapping, err);
}

static int walk_by_text(int process_fd, struct su_build_id_cache *cache, su_procmap_visit visit,
                        void *userdata, struct su_error *err)
{
        int fd = openat(process_fd, "maps", O_RDONLY | O_CLOEXEC);
        su_auto_fclose FILE *maps = fd >= 0 ? fdopen(fd, "r") : NULL;
        su_auto_free char *line = NULL;
        size_t capacity = 0;

        if (!maps)
                return process_ended(errno) ? 0 : su_fail_errno(err, errno, "cannot read its maps");
        while (getline(&line, &capacity, maps) >= 0) {
                struct su_mapping mapping = {0};
                uint64_t inode;
                char permissions[5];
                int r;

                if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*x:%*x %" SCNu64, &mapping.start,
                           &mapping.end, permissions, &inode) != 4 ||
                    permissions[2] != 'x' || inode == 0)
                        continue;
                r = visit_file(process_fd, &mapping, cache, visit, userdata, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int su_procmap_walk(int process_fd, bool never_query, struct su_build_id_cache *cache,
                    su_procmap_visit visit, void *userdata, struct su_error *err)
{
        su_auto_close int maps_fd = -EBADF;
        int r = -ENOTTY;

        if (!never_query) {
                maps_fd = openat(process_fd, "maps", O_RDONLY | O_CLOEXEC);
                if (maps_fd < 0)
                        return process_ended(errno)
                                       ? 0
                                       : su_fail_errno(err, errno, "cannot open its maps");
                r = walk_by_query(maps_fd, visit, userdata, err);
        }
        if (r == -ENOTTY)
                r = walk_by_text(process_fd, cache, visit, userdata, err);
        return r;
}
