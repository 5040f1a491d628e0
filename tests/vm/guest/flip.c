/* Flips a bit of a disk, whatever lies there; twice, and all is as it was.
 *
 *     flip DEVICE OFFSET
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
        int fd = argc == 3 ? open(argv[1], O_RDWR) : -1;
        off_t at = argc == 3 ? atoll(argv[2]) : 0;
        char byte;

        if (fd < 0 || pread(fd, &byte, 1, at) != 1)
                return 1;
        byte ^= 1;
        return pwrite(fd, &byte, 1, at) != 1 || fsync(fd) < 0;
}
