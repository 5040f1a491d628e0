#include "sandbox/dial.h"

#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/own.h"

/* For a service to take us, and for its worker to leave. */
#define PATIENCE_S 5

int su_dial(const char *name, const char *path, int *ret, struct su_error *err)
{
        const struct timeval patience = {.tv_sec = PATIENCE_S};
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        su_auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (strlen(path) >= sizeof address.sun_path)
                return su_fail(err, SU_ERROR_WORKER,
                               "the path of the socket '%.100s...' is too long", path);
        memcpy(address.sun_path, path, strlen(path) + 1);
        /* It bounds how long a service may let others wait, too: connect(2). */
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
                return su_fail_errno(err, errno, "cannot open a socket");
        if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
                return su_fail(err, SU_ERROR_WORKER, "cannot reach the %s at '%s': %s", name, path,
                               strerror(errno));
        *ret = su_take_fd(&fd);
        return 0;
}

void su_dismiss(int fd)
{
        const uint64_t give_up_us = su_monotonic_us() + PATIENCE_S * UINT64_C(1000000);
        struct pollfd channel = {.fd = fd, .events = POLLIN};
        char rest[4096];
        uint64_t now_us;

        if (fd < 0 || shutdown(fd, SHUT_WR) < 0)
                return;
        while ((now_us = su_monotonic_us()) < give_up_us) {
                const int r = poll(&channel, 1, (int)((give_up_us - now_us) / 1000) + 1);

                if (r < 0 && errno != EINTR)
                        return;
                if (r > 0 && recv(fd, rest, sizeof rest, MSG_DONTWAIT) <= 0)
                        return;
        }
}
