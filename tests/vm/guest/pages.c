/* Compares a file, page by page, with what it should be: by read(2), and mapped. Says for each way
 * how many pages are right, refused (EIO, SIGBUS) and wrong.
 *
 *     pages FILE GOOD
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

enum outcome { RIGHT, REFUSED, WRONG };

static sigjmp_buf bus_error;

static void on_bus_error(int signal)
{
        siglongjmp(bus_error, signal);
}

static enum outcome try_read(int fd, off_t at, const char *good, size_t size)
{
        char page[PAGE];

        ssize_t n = pread(fd, page, size, at);

        if (n < 0 && errno == EIO)
                return REFUSED;
        return n == (ssize_t)size && memcmp(page, good, size) == 0 ? RIGHT : WRONG;
}

static enum outcome try_mapped(const char *page, const char *good, size_t size)
{
        if (sigsetjmp(bus_error, 1) != 0)
                return REFUSED;
        return memcmp(page, good, size) == 0 ? RIGHT : WRONG;
}

static void say(const char *way, const unsigned long counts[3])
{
        printf("%s: %lu right, %lu refused, %lu wrong\n", way, counts[RIGHT], counts[REFUSED],
               counts[WRONG]);
}

int main(int argc, char **argv)
{
        unsigned long read_counts[3] = {0};
        unsigned long mapped_counts[3] = {0};
        int fd = argc == 3 ? open(argv[1], O_RDONLY) : -1;
        int good_fd = argc == 3 ? open(argv[2], O_RDONLY) : -1;
        off_t size = good_fd < 0 ? 0 : lseek(good_fd, 0, SEEK_END);
        char *mapped;

        if (fd < 0 || size <= 0 || lseek(fd, 0, SEEK_END) != size)
                return 2;
        mapped = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
        if (mapped == MAP_FAILED)
                return 2;
        signal(SIGBUS, on_bus_error);
        for (off_t at = 0; at < size; at += PAGE) {
                size_t part = size - at < PAGE ? (size_t)(size - at) : PAGE;
                char good[PAGE];

                if (pread(good_fd, good, part, at) != (ssize_t)part)
                        return 2;
                read_counts[try_read(fd, at, good, part)]++;
                mapped_counts[try_mapped(mapped + at, good, part)]++;
        }
        say("read", read_counts);
        say("mapped", mapped_counts);
        return 0;
}
