#include "layers/namespace.h"

#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/own.h"

/* What the child says at its end; the descriptor travels beside it. */
struct answer {
        int result;
        struct su_error error;
};

union control {
        char buffer[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
};

static void send_answer(int socket_fd, const struct answer *answer, int fd)
{
        struct iovec iov = {(void *)answer, sizeof *answer};
        union control control = {0};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

        if (fd >= 0) {
                struct cmsghdr *header;

                message.msg_control = control.buffer;
                message.msg_controllen = sizeof control.buffer;
                header = CMSG_FIRSTHDR(&message);
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = CMSG_LEN(sizeof fd);
                memcpy(CMSG_DATA(header), &fd, sizeof fd);
        }
        while (sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0 && errno == EINTR)
                ;
}

static int receive_answer(int socket_fd, struct answer *ret, int *ret_fd)
{
        struct iovec iov = {ret, sizeof *ret};
        union control control = {0};
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control.buffer,
                .msg_controllen = sizeof control.buffer,
        };
        struct cmsghdr *header;
        ssize_t n;

        do
                n = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        header = CMSG_FIRSTHDR(&message);
        if (header && header->cmsg_type == SCM_RIGHTS)
                memcpy(ret_fd, CMSG_DATA(header), sizeof *ret_fd);
        return n == sizeof *ret ? 0 : -EPIPE;
}

static int enter_private_namespace(struct su_error *err)
{
        if (unshare(CLONE_NEWNS) < 0)
                return su_fail_errno(err, errno, "cannot make a private mount namespace");
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return su_fail_errno(err, errno, "cannot make mounts private");
        return 0;
}

_Noreturn static void child(su_namespace_work work, void *userdata, int socket_fd)
{
        struct answer answer = {0};
        int fd = -EBADF;

        answer.result = enter_private_namespace(&answer.error);
        if (answer.result >= 0)
                answer.result = work(userdata, &fd, &answer.error);
        send_answer(socket_fd, &answer, fd);
        _exit(0);
}

int su_namespace_run(su_namespace_work work, void *userdata, int *ret_fd, struct su_error *err)
{
        su_auto_close int received_fd = -EBADF;
        struct answer answer;
        int sockets[2];
        pid_t pid;
        int r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
                return su_fail_errno(err, errno, "cannot make a socket pair");
        pid = fork();
        if (pid == 0)
                child(work, userdata, sockets[1]);
        (void)close(sockets[1]);
        if (pid < 0) {
                r = su_fail_errno(err, errno, "cannot fork");
                (void)close(sockets[0]);
                return r;
        }
        r = receive_answer(sockets[0], &answer, &received_fd);
        (void)close(sockets[0]);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return su_fail_errno(err, r, "the helper process ended without an answer");
        if (answer.result < 0) {
                if (err)
                        *err = answer.error;
                return answer.result;
        }
        *ret_fd = su_take_fd(&received_fd);
        return 0;
}
