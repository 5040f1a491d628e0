#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>

void fuzz_check_failed(const char *what, const char *file, int line)
{
        (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
        abort();
}

char *fuzz_string(const uint8_t *data, size_t size)
{
        char *text = strndup(size > 0 ? (const char *)data : "", size);

        fuzz_check(text);
        return text;
}

int fuzz_memory_file(const void *data, size_t size)
{
        int fd = memfd_create("fuzz", MFD_CLOEXEC);

        fuzz_check(fd >= 0);
        fuzz_check(size == 0 || write(fd, data, size) == (ssize_t)size);
        fuzz_check(lseek(fd, 0, SEEK_SET) == 0);
        return fd;
}
