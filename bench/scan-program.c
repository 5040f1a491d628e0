/* What bench/scan.sh runs hundreds of: says what its library answers, then waits for ever.
 *
 *     program [FILE]      FILE is mapped to be read, not to be run
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAPPED 4096

const char *fix_answer(void);

int main(int argc, char **argv)
{
        if (argc > 1) {
                int fd = open(argv[1], O_RDONLY | O_CLOEXEC);

                if (fd < 0 || mmap(NULL, MAPPED, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
                        return 1;
                (void)close(fd);
        }
        if (write(STDOUT_FILENO, fix_answer(), 4) != 4)
                return 1;
        for (;;)
                (void)pause();
}
