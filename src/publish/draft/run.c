#include "publish/draft/run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "publish/draft/make.h"
#include "publish/draft/results.h"

#define LOOK_MS 100

/* What a child has to say goes through a pipe, whole: it is smaller than PIPE_BUF. */
struct word {
        bool was_there;
        bool is_failed;
        struct su_error why;
};
_Static_assert(sizeof(struct word) <= 4096, "a word must go through a pipe at once");

struct child {
        pid_t pid;
        int pipe_fd;
        size_t index;
        uint64_t began;
};

struct crew {
        const struct su_job_list *jobs;
        int store_fd;
        struct child *children;
        struct pollfd *polled;
        size_t n, next;
        su_job_ended ended;
        void *userdata;
};

/* Whoever is still at work when this ends is not wanted any more. */
static void crew_done(struct crew *crew)
{
        for (size_t i = 0; i < crew->n; i++) {
                struct child *child = &crew->children[i];

                (void)kill(child->pid, SIGKILL);
                while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
                su_results_forget(crew->store_fd, &crew->jobs->each[child->index], child->pid);
                su_close_fd(&child->pipe_fd);
        }
        free(crew->children);
        free(crew->polled);
}

_Noreturn static void be_child(const struct su_job *job, int store_fd, int pipe_fd)
{
        struct word word = {0};

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGINT, SIG_DFL);
        (void)signal(SIGTERM, SIG_DFL);
        word.is_failed = su_job_make(job, store_fd, &word.was_there, &word.why) < 0;
        _exit(write(pipe_fd, &word, sizeof word) < 0 ? 2 : 0);
}

static int start(struct crew *crew, struct su_error *err)
{
        struct child *child = &crew->children[crew->n];
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return su_fail_errno(err, errno, "cannot make a pipe");
        (void)fflush(NULL);
        *child = (struct child){.index = crew->next, .began = su_monotonic_us()};
        child->pid = fork();
        if (child->pid == 0)
                be_child(&crew->jobs->each[crew->next], crew->store_fd, fds[1]);
        su_close_fd(&fds[1]);
        child->pipe_fd = fds[0];
        if (child->pid < 0) {
                su_close_fd(&child->pipe_fd);
                return su_fail_errno(err, errno, "cannot start a process");
        }
        crew->n++;
        crew->next++;
        return 0;
}

/* A child that said nothing was killed, by the kernel when memory ran out. */
static struct su_job_end hear(struct crew *crew, struct child *child)
{
        const struct su_job *job = &crew->jobs->each[child->index];
        struct su_job_end end = {.index = child->index};
        struct word word;
        bool is_told = read(child->pipe_fd, &word, sizeof word) == (ssize_t)sizeof word;
        int status = 0;

        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
                ;
        end.seconds = (double)(su_monotonic_us() - child->began) / 1e6;
        if (is_told) {
                end.was_there = word.was_there;
                end.is_failed = word.is_failed;
                end.why = word.why;
        } else {
                su_results_forget(crew->store_fd, job, child->pid);
                end.is_failed = true;
                (void)su_error_set(&end.why, SU_ERROR_SYSTEM,
                                   "the process that made a delta was ended by signal %d",
                                   WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        }
        su_close_fd(&child->pipe_fd);
        return end;
}

static int collect(struct crew *crew, struct su_error *err)
{
        int result = 0;

        for (size_t i = 0; i < crew->n; i++)
                crew->polled[i] =
                        (struct pollfd){.fd = crew->children[i].pipe_fd, .events = POLLIN};
        if (poll(crew->polled, crew->n, LOOK_MS) <= 0)
                return 0;
        for (size_t i = crew->n; i > 0; i--) {
                struct su_job_end end;

                if (!crew->polled[i - 1].revents)
                        continue;
                end = hear(crew, &crew->children[i - 1]);
                crew->children[i - 1] = crew->children[--crew->n];
                if (crew->ended)
                        crew->ended(crew->userdata, &end);
                if (end.is_failed)
                        result = su_error_take_over(err, end.why.code, (unsigned)end.why.errnum,
                                                    end.why.message);
        }
        return result;
}

int su_jobs_run(const struct su_job_list *jobs, int store_fd, size_t parallel, su_job_ended ended,
                void *userdata, struct su_error *err)
{
        su_auto(crew_done) struct crew crew = {
                .jobs = jobs,
                .store_fd = store_fd,
                .children = calloc(parallel, sizeof *crew.children),
                .polled = calloc(parallel, sizeof *crew.polled),
                .ended = ended,
                .userdata = userdata,
        };
        int result = 0;

        if (!crew.children || !crew.polled)
                return su_fail_oom(err);
        while (crew.n > 0 || crew.next < jobs->n) {
                int r = 0;

                if (su_interrupted())
                        return su_fail(err, SU_ERROR_CANCELLED, "cancelled");
                while (crew.n < parallel && crew.next < jobs->n && r >= 0)
                        r = start(&crew, err);
                if (r < 0)
                        return r;
                r = collect(&crew, err);
                if (r < 0 && !ended)
                        return r;
                if (r < 0)
                        result = r;
        }
        return result;
}
