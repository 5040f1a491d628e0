/* Can this kernel seal a file of this file system with fs-verity?
 *
 *     verity FILE
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
        const struct fsverity_enable_arg seal = {
                .version = 1,
                .hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
                .block_size = 4096,
        };
        int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;

        if (fd < 0 || ioctl(fd, FS_IOC_ENABLE_VERITY, &seal) < 0) {
                printf("does not work: %s\n", strerror(errno));
                return 1;
        }
        close(fd);
        fd = open(argv[1], O_RDWR);
        printf("works; the sealed file %s\n", fd < 0 ? "cannot be written" : "CAN BE WRITTEN");
        return fd >= 0;
}
