/* Where on its disk a file has the middle of another one: prints the byte's offset on the device.
 *
 *     locate FILE PART     the page in the middle of PART is looked for in FILE
 */
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PAGE 4096

/* The offset of that page in the file, or -1. */
static off_t find_page(int fd, const char *wanted)
{
        char page[PAGE];

        for (off_t at = 0; pread(fd, page, sizeof page, at) == PAGE; at += PAGE)
                if (memcmp(page, wanted, PAGE) == 0)
                        return at;
        return -1;
}

/* Where that offset of the file lies on the device, or -1. */
static off_t find_block(int fd, off_t at)
{
        union {
                struct fiemap map;
                char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
        } u = {.map = {.fm_start = (uint64_t)at,
                       .fm_length = 1,
                       .fm_flags = FIEMAP_FLAG_SYNC,
                       .fm_extent_count = 1}};
        const struct fiemap_extent *extent = u.map.fm_extents;

        if (ioctl(fd, FS_IOC_FIEMAP, &u) < 0 || u.map.fm_mapped_extents != 1 ||
            extent->fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_UNWRITTEN))
                return -1;
        return (off_t)(extent->fe_physical + ((uint64_t)at - extent->fe_logical));
}

int main(int argc, char **argv)
{
        int file_fd = argc == 3 ? open(argv[1], O_RDONLY) : -1;
        int part_fd = argc == 3 ? open(argv[2], O_RDONLY) : -1;
        char page[PAGE];
        off_t at = lseek(part_fd, 0, SEEK_END) / 2 / PAGE * PAGE;

        if (file_fd < 0 || pread(part_fd, page, sizeof page, at) != PAGE)
                return 2;
        at = find_page(file_fd, page);
        if (at >= 0)
                at = find_block(file_fd, at);
        if (at < 0)
                return 1;
        printf("%lld\n", (long long)at);
        return 0;
}
