#include "publish/draft/material.h"

#include <string.h>
#include <unistd.h>

#include "base/own.h"

static const struct {
        const char *name;
        const char *magic;
        size_t size;
} compressions[] = {
        {"gzip", "\x1f\x8b\x08", 3},
        {"xz", "\xfd\x37zXZ", 6}, /* with the NUL */
        {"zstd", "\x28\xb5\x2f\xfd", 4},
        {"bzip2", "BZh", 3},
        {"lz4", "\x04\x22\x4d\x18", 4},
        {"zip", "PK\x03\x04", 4},
        {"7z", "7z\xbc\xaf\x27\x1c", 6},
        {"squashfs", "hsqs", 4},
        {"png", "\x89PNG", 4},
        {"jpeg", "\xff\xd8\xff", 3},
        {"woff2", "wOF2", 4},
};

const char *su_compression_of(int fd)
{
        char head[8];
        ssize_t n = pread(fd, head, sizeof head, 0);

        for (size_t i = 0; i < SU_ELEMENTS(compressions); i++)
                if (n >= (ssize_t)compressions[i].size &&
                    memcmp(head, compressions[i].magic, compressions[i].size) == 0)
                        return compressions[i].name;
        return NULL;
}
