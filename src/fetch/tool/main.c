/* suture-fetch: the fetcher as a service of its own. See suture-fetch(8). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "fetch/serve.h"

static void print_help(void)
{
        (void)puts(
                "Usage: suture-fetch\n\n"
                "Fetch what suture(8), at the other end of standard input, asks for. The service\n"
                "manager starts it, by suture-fetch.socket. See suture-fetch(8).");
}

/* Where a standard stream was, nothing of worth is left. */
static int take_connection(int *ret, struct su_error *err)
{
        int kind;
        socklen_t size = sizeof kind;
        int fd;

        if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &kind, &size) < 0 || kind != SOCK_STREAM)
                return su_fail(err, SU_ERROR_USAGE,
                               "standard input is no connection: suture-fetch.socket starts it");
        fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot take over the connection");
        *ret = fd;
        return 0;
}

/* Who asks learns of what went wrong, too. */
static int run(struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        r = take_connection(&fd, err);
        if (r < 0)
                return r;
        r = su_worker_become(&su_fetcher, fd, err);
        if (r < 0) {
                (void)su_message_send_error(fd, err, NULL);
                return r;
        }
        su_serve_told(fd);
        return 0;
}

int main(int argc, char **argv)
{
        struct su_error error = {0};

        if (argc == 2 && strcmp(argv[1], "--help") == 0) {
                print_help();
                return 0;
        }
        if (argc == 2 && strcmp(argv[1], "--version") == 0) {
                (void)puts("suture-fetch " SUTURE_VERSION);
                return 0;
        }
        if (argc > 1)
                (void)su_fail(&error, SU_ERROR_USAGE, "try 'suture-fetch --help'");
        else if (run(&error) >= 0)
                return 0;
        (void)fprintf(stderr, "suture-fetch: %s\n", error.message);
        return su_error_exit_status(error.code);
}
