/* measure COMMAND...: prints the microseconds that it took and the most memory that it had at once,
 * in KiB.
 *
 * A small program of its own: the kernel begins a process's peak with that of the one that started
 * it, and a script's is larger than what is to be measured. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
        long long began = now_us();
        struct rusage usage;
        int status;
        pid_t child;

        if (argc < 2)
                return 2;
        child = fork();
        if (child == 0) {
                int null = open("/dev/null", O_RDWR | O_CLOEXEC);

                if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
                        (void)execvp(argv[1], argv + 1);
                _exit(127);
        }
        if (child < 0 || wait4(child, &status, 0, &usage) != child)
                return 1;
        (void)printf("%lld %ld\n", now_us() - began, usage.ru_maxrss);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
