#include "service.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "support.h"

static void accept_all(int listener, void (*serve)(int fd)) __attribute__((noreturn));
static void accept_all(int listener, void (*serve)(int fd))
{
        (void)signal(SIGCHLD, SIG_IGN);
        for (;;) {
                int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

                if (fd < 0)
                        _exit(1);
                if (fork() == 0) {
                        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
                        (void)close(listener);
                        serve(fd);
                        _exit(0);
                }
                (void)close(fd);
        }
}

void service_start(struct service *service, void (*serve)(int fd))
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        su_auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void)snprintf(service->path, sizeof service->path, "/tmp/suture-service.%d", getpid());
        (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", service->path);
        (void)unlink(service->path);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(listen(fd, 4), 0);
        service->pid = fork();
        assert_true(service->pid >= 0);
        if (service->pid == 0)
                accept_all(fd, serve);
}

void service_stop(struct service *service)
{
        (void)kill(service->pid, SIGKILL);
        (void)waitpid(service->pid, NULL, 0);
        (void)unlink(service->path);
}
