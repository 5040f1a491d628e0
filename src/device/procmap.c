#include "device/procmap.h"

#include <fcntl.h>
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
                struct su_build_id id = {0};
                struct procmap_query query = {
                        .size = sizeof query,
                        .query_flags =
                                QUERY_EXECUTABLE | QUERY_COVERING_OR_NEXT | QUERY_FILE_BACKED,
                        .query_addr = address,
                        .build_id_size = sizeof id.bytes,
                        .build_id_addr = (uint64_t)(uintptr_t)id.bytes,
                };
                int r;

                if (ioctl(maps_fd, PROCMAP_QUERY_IOCTL, &query) < 0) {
                        if (process_ended(errno))
                                return 0; /* nothing more, or no process any more */
                        if (errno == ENOTTY || errno == EINVAL)
                                return -ENOTTY;
                        return su_fail_errno(err, errno, "cannot query its mappings");
                }
                if (query.build_id_size > 0 && query.build_id_size <= sizeof id.bytes) {
                        id.size = (uint8_t)query.build_id_size;
                        r = visit(userdata, &id, err);
                        if (r < 0)
                                return r;
                }
                address = query.vma_end;
        }
}

/* Through the link that the kernel keeps to the mapped file itself, whatever its path says by now.
 * Only regular files: opening a device could have effects. */
static int visit_file(int process_fd, uint64_t start, uint64_t end, su_procmap_visit visit,
                      void *userdata, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        struct su_build_id id;
        char link[64];
        struct stat st;
        int r;

        (void)snprintf(link, sizeof link, "map_files/%llx-%llx", (unsigned long long)start,
                       (unsigned long long)end);
        if (fstatat(process_fd, link, &st, 0) < 0)
                return process_ended(errno) ? 0
                                            : su_fail_errno(err, errno, "cannot look at %s", link);
        if (!S_ISREG(st.st_mode))
                return 0;
        fd = openat(process_fd, link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
                return process_ended(errno) ? 0 : su_fail_errno(err, errno, "cannot open %s", link);
        r = su_build_id_read(fd, link, &id, NULL, err);
        if (r < 0 || id.size == 0)
                return r;
        return visit(userdata, &id, err);
}

static int walk_by_text(int process_fd, su_procmap_visit visit, void *userdata,
                        struct su_error *err)
{
        int fd = openat(process_fd, "maps", O_RDONLY | O_CLOEXEC);
        su_auto_fclose FILE *maps = fd >= 0 ? fdopen(fd, "r") : NULL;
        su_auto_free char *line = NULL;
        size_t capacity = 0;

        if (!maps)
                return process_ended(errno) ? 0 : su_fail_errno(err, errno, "cannot read its maps");
        while (getline(&line, &capacity, maps) >= 0) {
                unsigned long long start;
                unsigned long long end;
                unsigned long long inode;
                char permissions[5];
                int r;

                if (sscanf(line, "%llx-%llx %4s %*x %*x:%*x %llu", &start, &end, permissions,
                           &inode) != 4 ||
                    permissions[2] != 'x' || inode == 0)
                        continue;
                r = visit_file(process_fd, start, end, visit, userdata, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int su_procmap_walk(int process_fd, bool never_query, su_procmap_visit visit, void *userdata,
                    struct su_error *err)
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
                r = walk_by_text(process_fd, visit, userdata, err);
        return r;
}
