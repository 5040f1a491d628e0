#include "exposure/procmap.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

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

#ifndef SMB2_SUPER_MAGIC
#define SMB2_SUPER_MAGIC 0xFE534D42
#endif

#define QUERY_EXECUTABLE 0x04
#define QUERY_COVERING_OR_NEXT 0x10
#define QUERY_FILE_BACKED 0x20

static bool process_ended(int errnum)
{
        return errnum == ENOENT || errnum == ESRCH;
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

struct known_device {
        dev_t device;
        bool is_readable;
};

static int compare_devices(const void *a, const void *b)
{
        const struct known_device *left = a;
        const struct known_device *right = b;

        return (left->device > right->device) - (left->device < right->device);
}

struct known_file {
        dev_t device;
        ino_t inode;
        struct su_build_id id;
};

static int compare_files(const void *a, const void *b)
{
        const struct known_file *left = a;
        const struct known_file *right = b;

        if (left->device != right->device)
                return left->device < right->device ? -1 : 1;
        return (left->inode > right->inode) - (left->inode < right->inode);
}

void su_procmap_cache_done(struct su_procmap_cache *cache)
{
        tdestroy(cache->devices, free);
        tdestroy(cache->build_ids, free);
        *cache = (struct su_procmap_cache){0};
}

/* Keeps a copy of `size` bytes at `known`. */
static int remember(void **tree, const void *known, size_t size, __compar_fn_t compare,
                    struct su_error *err)
{
        void *copy = malloc(size);

        if (!copy)
                return su_fail_oom(err);
        memcpy(copy, known, size);
        if (tsearch(copy, tree, compare))
                return 0;
        free(copy);
        return su_fail_oom(err);
}

/* Whoever serves these decides how long a read takes. */
static bool is_served_by_others(const struct statfs *fs)
{
        static const uint32_t magics[] = {
                FUSE_SUPER_MAGIC, NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC,
                CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC, CEPH_SUPER_MAGIC,
                CODA_SUPER_MAGIC, AFS_SUPER_MAGIC,  AFS_FS_MAGIC,
        };

        for (size_t i = 0; i < SU_ELEMENTS(magics); i++)
                if ((uint32_t)fs->f_type == magics[i])
                        return true;
        return false;
}

/* Asked of the kernel alone: an O_PATH descriptor opens nothing, and the kernel knows the type of
 * the file system. 0 or 1; -ENOENT when the process ended. */
static int classify(int process_fd, const struct su_mapping *mapping, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        char link[LINK_SIZE];
        struct statfs fs;

        name_link(mapping, link);
        fd = openat(process_fd, link, O_PATH | O_CLOEXEC);
        if (fd < 0)
                return process_ended(errno) ? -ENOENT
                                            : su_fail_errno(err, errno, "cannot look at %s", link);
        return fstatfs(fd, &fs) == 0 && !is_served_by_others(&fs);
}

/* 0 or 1, or -ENOENT as above. */
static int is_readable(int process_fd, const struct su_mapping *mapping,
                       struct su_procmap_cache *cache, struct su_error *err)
{
        struct known_device known = {.device = mapping->device};
        struct known_device *const *found;
        int r;

        if (mapping->device == cache->trusted)
                return 1;
        found = tfind(&known, &cache->devices, compare_devices);
        if (found)
                return (*found)->is_readable;
        r = classify(process_fd, mapping, err);
        if (r < 0)
                return r;
        known.is_readable = r > 0;
        r = remember(&cache->devices, &known, sizeof known, compare_devices, err);
        return r < 0 ? r : known.is_readable;
}

static int read_build_id(int process_fd, const char *link, struct su_build_id *ret,
                         struct su_error *err)
{
        su_auto_close int fd = openat(process_fd, link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        *ret = (struct su_build_id){0};
        if (fd < 0)
                return process_ended(errno) ? 0 : su_fail_errno(err, errno, "cannot open %s", link);
        return su_build_id_read(fd, link, ret, NULL, err);
}

/* Through the link that the kernel keeps to the mapped file itself, whatever its path says by now.
 * Only regular files: opening a device could have effects. */
static int visit_file(int process_fd, struct su_mapping *mapping, struct su_procmap_cache *cache,
                      su_procmap_visit visit, void *userdata, struct su_error *err)
{
        struct known_file known = {0};
        struct known_file *const *found;
        char link[LINK_SIZE];
        struct stat st;
        int r = 0;

        name_link(mapping, link);
        if (fstatat(process_fd, link, &st, 0) < 0)
                return process_ended(errno) ? 0
                                            : su_fail_errno(err, errno, "cannot look at %s", link);
        if (!S_ISREG(st.st_mode))
                return 0;
        known.device = st.st_dev;
        known.inode = st.st_ino;
        found = tfind(&known, &cache->build_ids, compare_files);
        if (found) {
                mapping->id = (*found)->id;
        } else {
                r = read_build_id(process_fd, link, &known.id, err);
                if (r >= 0)
                        r = remember(&cache->build_ids, &known, sizeof known, compare_files, err);
                mapping->id = known.id;
        }
        if (r < 0 || mapping->id.size == 0)
                return r;
        return visit(userdata, mapping, err);
}

/* The next executable file mapping at or behind `address`, with its build-id if `with_id`. -ENOENT:
 * there is none, or no process any more; -ENOTTY: the kernel has no such query. */
static int query(int maps_fd, uint64_t address, bool with_id, struct su_mapping *ret,
                 struct su_error *err)
{
        struct su_mapping mapping = {0};
        struct procmap_query query = {
                .size = sizeof query,
                .query_flags = QUERY_EXECUTABLE | QUERY_COVERING_OR_NEXT | QUERY_FILE_BACKED,
                .query_addr = address,
                .build_id_size = with_id ? sizeof mapping.id.bytes : 0,
                .build_id_addr = with_id ? (uint64_t)(uintptr_t)mapping.id.bytes : 0,
        };

        if (ioctl(maps_fd, PROCMAP_QUERY_IOCTL, &query) < 0) {
                if (process_ended(errno))
                        return -ENOENT;
                if (errno == ENOTTY || errno == EINVAL)
                        return -ENOTTY;
                return su_fail_errno(err, errno, "cannot query its mappings");
        }
        mapping.start = query.vma_start;
        mapping.end = query.vma_end;
        mapping.device = makedev(query.dev_major, query.dev_minor);
        if (query.build_id_size <= sizeof mapping.id.bytes)
                mapping.id.size = (uint8_t)query.build_id_size;
        *ret = mapping;
        return 0;
}

/* The kernel reads the file for its build-id: only once it is known that it may be read. It gives
 * none when the page is not at hand; then the file itself is read. */
static int visit_queried(int process_fd, int maps_fd, struct su_mapping *mapping,
                         struct su_procmap_cache *cache, su_procmap_visit visit, void *userdata,
                         struct su_error *err)
{
        int r;

        r = is_readable(process_fd, mapping, cache, err);
        if (r == -ENOENT)
                return 0;
        if (r <= 0) {
                cache->n_unread += r == 0;
                return r;
        }
        r = query(maps_fd, mapping->start, true, mapping, err);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        return mapping->id.size > 0 ? visit(userdata, mapping, err)
                                    : visit_file(process_fd, mapping, cache, visit, userdata, err);
}

static int walk_by_query(int process_fd, int maps_fd, struct su_procmap_cache *cache,
                         su_procmap_visit visit, void *userdata, struct su_error *err)
{
        uint64_t address = 0;

        for (;;) {
                struct su_mapping mapping;
                int r;

                r = query(maps_fd, address, false, &mapping, err);
                if (r < 0)
                        return r == -ENOENT ? 0 : r;
                address = mapping.end;
                r = visit_queried(process_fd, maps_fd, &mapping, cache, visit, userdata, err);
                if (r < 0)
                        return r;
        }
}

/* "START-END PERMISSIONS OFFSET MAJOR:MINOR INODE ..." */
static bool parse_line(const char *line, struct su_mapping *ret)
{
        char permissions[5];
        unsigned device_major;
        unsigned device_minor;
        uint64_t inode;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %x:%x %" SCNu64, &ret->start, &ret->end,
                   permissions, &device_major, &device_minor, &inode) != 6)
                return false;
        ret->device = makedev(device_major, device_minor);
        return permissions[2] == 'x' && inode != 0;
}

static int walk_by_text(int process_fd, struct su_procmap_cache *cache, su_procmap_visit visit,
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
                int r;

                if (!parse_line(line, &mapping))
                        continue;
                r = is_readable(process_fd, &mapping, cache, err);
                if (r == -ENOENT)
                        continue;
                cache->n_unread += r == 0;
                if (r > 0)
                        r = visit_file(process_fd, &mapping, cache, visit, userdata, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int su_procmap_walk(int process_fd, bool never_query, struct su_procmap_cache *cache,
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
                r = walk_by_query(process_fd, maps_fd, cache, visit, userdata, err);
        }
        if (r == -ENOTTY)
                r = walk_by_text(process_fd, cache, visit, userdata, err);
        return r;
}
