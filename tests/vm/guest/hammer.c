/* Opens and reads files all the time, until it is told to end; each must be there and hold its
 * text.
 *
 *     hammer PATH TEXT [PATH TEXT]...
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void end(int signal)
{
        (void)signal;
        ended = 1;
}

int main(int argc, char **argv)
{
        unsigned long opens = 0;
        unsigned long failed = 0;
        unsigned long glimpses = 0;

        signal(SIGTERM, end);
        for (int i = 1; !ended; i = i + 3 < argc ? i + 2 : 1) {
                char text[64];
                int fd = open(argv[i], O_RDONLY);
                ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text);

                opens++;
                failed += size < 0;
                glimpses += size >= 0 && ((size_t)size != strlen(argv[i + 1]) ||
                                          memcmp(text, argv[i + 1], (size_t)size) != 0);
                if (fd >= 0)
                        close(fd);
        }
        printf("%lu opens, %lu failed, %lu glimpses of the baseline\n", opens, failed, glimpses);
        return opens == 0 || failed > 0 || glimpses > 0;
}
