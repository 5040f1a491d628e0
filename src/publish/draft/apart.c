#include "publish/draft/apart.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/interrupt.h"
#include "base/own.h"
#include "delta/make/make.h"

#define LOOK_MS 100

/* What the child has to say goes through a pipe, whole: the error is smaller than PIPE_BUF. */
_Static_assert(sizeof(struct su_error) <= 4096, "an error must go through a pipe at once");

/* Until the child has said something or ended, or nobody wants its work any more. */
static void wait_for_word(int pipe_fd, pid_t pid)
{
        struct pollfd word = {.fd = pipe_fd, .events = POLLIN};

        while (!su_interrupted())
                if (poll(&word, 1, LOOK_MS) > 0)
                        return;
        (void)kill(pid, SIGKILL);
}

static int wait_for_end(int pipe_fd, pid_t pid, struct su_error *err)
{
        struct su_error why;
        bool is_told;
        int status = 0;

        wait_for_word(pipe_fd, pid);
        is_told = read(pipe_fd, &why, sizeof why) == (ssize_t)sizeof why;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return su_fail_errno(err, errno, "cannot wait for the delta");
        if (su_interrupted())
                return su_fail(err, SU_ERROR_CANCELLED, "cancelled");
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        if (!is_told)
                return su_fail(err, SU_ERROR_SYSTEM,
                               "the process that made a delta was ended by signal %d",
                               WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        if (err)
                *err = why;
        return su_negative(-why.errnum);
}

int su_delta_make_apart(const int *source_fds, const char *const *source_names, size_t n_sources,
                        int target_fd, int patch_fd, bool fast, struct su_error *err)
{
        su_auto_close int read_fd = -EBADF;
        su_auto_close int write_fd = -EBADF;
        int fds[2];
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return su_fail_errno(err, errno, "cannot make a pipe");
        read_fd = fds[0];
        write_fd = fds[1];
        (void)fflush(NULL);
        pid = fork();
        if (pid < 0)
                return su_fail_errno(err, errno, "cannot start a process");
        if (pid == 0) {
                struct su_error why = {0};
                int r;

                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)signal(SIGINT, SIG_DFL);
                (void)signal(SIGTERM, SIG_DFL);
                r = su_delta_make(source_fds, source_names, n_sources, target_fd, patch_fd,
                                  fast ? SU_DELTA_FAST : SU_DELTA_BEST, &why);
                _exit(r >= 0 ? 0 : write(write_fd, &why, sizeof why) < 0 ? 2 : 1);
        }
        su_close_fd(&write_fd);
        return wait_for_end(read_fd, pid, err);
}
