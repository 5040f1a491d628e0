#include "daemon/run.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/file.h"
#include "daemon/auto.h"
#include "daemon/language.h"

#define ARGUMENTS_MAX 32
#define PARENT_FD 3
#define OUTPUT_MAX (UINT32_C(64) << 20)
#define LINE_MAX_SIZE (UINT32_C(16) << 20)
#define CHUNK_SIZE 65536

static const char *const fixed[] = {"--direct", "--parent-fd=3", NULL};

struct su_run {
        struct su_run_listener listener;
        pid_t pid; /* 0: it has ended */
        bool cancelled;
        bool overflowed; /* it said more than is kept */
        int pipe_fd;     /* what it tells us */
        int output_fd;   /* its standard output */
        sd_event_source *pipe_source;
        sd_event_source *child_source;
        char *line; /* the beginning of one that is not whole yet */
        size_t size;
        json_t *last; /* {"result": ...} or {"error": ...} */
};

static void tell_progress(const struct su_run *run, const json_t *progress)
{
        const char *step;
        int64_t done;
        int64_t total;

        if (run->listener.progress && su_json_get_string(progress, "step", &step, NULL) >= 0 &&
            su_json_get_integer(progress, "done", 0, INT64_MAX, &done, NULL) >= 0 &&
            su_json_get_integer(progress, "total", 0, INT64_MAX, &total, NULL) >= 0)
                run->listener.progress(run->listener.userdata, step, (uint64_t)done,
                                       (uint64_t)total);
}

static void take_line(struct su_run *run, const char *line, size_t size)
{
        su_auto_json json_t *document = NULL;
        const json_t *progress;

        if (su_json_parse(line, size, &document, NULL) < 0)
                return;
        progress = json_object_get(document, "progress");
        if (progress) {
                tell_progress(run, progress);
                return;
        }
        json_decref(run->last);
        run->last = su_take(document);
}

/* The first `known` bytes have no line's end among them. */
static void take_lines(struct su_run *run, size_t known)
{
        char *begin = run->line;
        char *end = memchr(begin + known, '\n', run->size - known);

        while (end) {
                take_line(run, begin, (size_t)(end - begin));
                begin = end + 1;
                end = memchr(begin, '\n', run->size - (size_t)(begin - run->line));
        }
        run->size -= (size_t)(begin - run->line);
        memmove(run->line, begin, run->size);
}

/* It is not heard any more: it must not wait for us. */
static void stop_listening(struct su_run *run)
{
        run->pipe_source = sd_event_source_disable_unref(run->pipe_source);
        su_close_fd(&run->pipe_fd);
}

/* False when there is nothing for now, or never will be. */
static bool read_some(struct su_run *run)
{
        char *longer = NULL;
        ssize_t n;

        if (run->pipe_fd < 0)
                return false;
        if (run->size + CHUNK_SIZE <= LINE_MAX_SIZE)
                longer = realloc(run->line, run->size + CHUNK_SIZE);
        if (!longer) {
                run->overflowed = true;
                stop_listening(run);
                return false;
        }
        run->line = longer;
        n = read(run->pipe_fd, run->line + run->size, CHUNK_SIZE);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return false;
        if (n <= 0) {
                stop_listening(run);
                return false;
        }
        run->size += (size_t)n;
        take_lines(run, run->size - (size_t)n);
        return true;
}

static int on_told(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        (void)source;
        (void)fd;
        (void)events;
        (void)read_some(userdata);
        return 0;
}

/* What it printed, as far as it can be kept. */
static char *read_output(const struct su_run *run)
{
        char *text = NULL;

        (void)lseek(run->output_fd, 0, SEEK_SET);
        (void)su_file_read_fd(run->output_fd, "the output", OUTPUT_MAX, &text, NULL, NULL);
        return text;
}

static int explain(const struct su_run *run, int status, struct su_error *err)
{
        if (run->cancelled)
                return su_fail(err, SU_ERROR_CANCELLED, "it was cancelled");
        if (run->overflowed)
                return su_fail(err, SU_ERROR_TOO_LARGE, "suture said more than can be kept");
        if (WIFSIGNALED(status))
                return su_fail(err, SU_ERROR_SYSTEM, "suture was ended by signal %d",
                               WTERMSIG(status));
        return su_fail(err, SU_ERROR_SYSTEM, "suture ended without a result, with status %d",
                       WEXITSTATUS(status));
}

/* An error that it told keeps its name, also one that this program does not know. */
static bool find_error(const struct su_run *run, struct su_outcome *outcome)
{
        const json_t *error = json_object_get(run->last, "error");
        const char *message;

        if (su_json_get_string(error, "name", &outcome->error_name, NULL) < 0 ||
            su_json_get_string(error, "message", &message, NULL) < 0)
                return false;
        (void)su_fail(&outcome->error, SU_ERROR_SYSTEM, "%s", message);
        outcome->error.code = su_error_from_name(outcome->error_name);
        return true;
}

static void find_outcome(const struct su_run *run, int status, struct su_outcome *outcome)
{
        outcome->result = json_object_get(run->last, "result");
        if (outcome->result || find_error(run, outcome))
                return;
        (void)explain(run, status, &outcome->error);
        outcome->error_name = su_error_name(outcome->error.code);
}

static int on_ended(sd_event_source *source, const siginfo_t *info, void *userdata)
{
        struct su_run *run = userdata;
        struct su_run_listener listener = run->listener;
        su_auto_free char *text = read_output(run);
        su_auto_json json_t *printed = NULL;
        struct su_outcome outcome = {.text = text ? text : ""};
        int status = info->si_code == CLD_EXITED ? info->si_status << 8 : info->si_status;

        (void)source;
        run->pid = 0;
        while (read_some(run))
                ;
        /* A verb that only looks tells nobody but who reads its output. */
        if (!run->last && text && su_json_parse(text, strlen(text), &printed, NULL) >= 0)
                run->last = json_pack("{s:O}", "result", printed);
        find_outcome(run, status, &outcome);
        listener.finished(listener.userdata, &outcome);
        return 0;
}

static int spawn(struct su_run *run, const char *const argv[], char *const environment[],
                 int write_fd)
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none;
        int r;

        (void)sigemptyset(&none);
        if (posix_spawn_file_actions_init(&actions) != 0)
                return -ENOMEM;
        if (posix_spawnattr_init(&attributes) != 0) {
                posix_spawn_file_actions_destroy(&actions);
                return -ENOMEM;
        }
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, run->output_fd, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, write_fd, PARENT_FD);
        if (r == 0)
                r = posix_spawnattr_setsigmask(&attributes, &none);
        if (r == 0)
                r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        if (r == 0)
                r = posix_spawn(&run->pid, argv[0], &actions, &attributes, (char *const *)argv,
                                environment);
        (void)posix_spawnattr_destroy(&attributes);
        (void)posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                run->pid = 0;
        return -r;
}

static size_t append(const char *argv[ARGUMENTS_MAX], size_t n, const char *const more[])
{
        for (; *more && n + 1 < ARGUMENTS_MAX; more++)
                argv[n++] = *more;
        return n;
}

static int start(struct su_run *run, const char *const *program, const char *const arguments[],
                 const char *language, struct su_error *err)
{
        char **environment = NULL;
        const char *argv[ARGUMENTS_MAX] = {NULL};
        su_auto_close int write_fd = -EBADF;
        int ends[2];
        size_t n = 0;
        int r;

        n = append(argv, n, program);
        n = append(argv, n, fixed);
        (void)append(argv, n, arguments);
        run->output_fd = memfd_create("output", MFD_CLOEXEC);
        if (run->output_fd < 0 || pipe2(ends, O_CLOEXEC) < 0)
                return su_fail_errno(err, errno, "cannot make a pipe");
        run->pipe_fd = ends[0];
        write_fd = ends[1];
        (void)fcntl(run->pipe_fd, F_SETFL, O_NONBLOCK);
        r = su_environment_make(language, &environment, err);
        if (r < 0)
                return r;
        r = spawn(run, argv, environment, write_fd);
        su_environment_done(environment);
        return r < 0 ? su_fail_errno(err, r, "cannot run '%s'", program[0]) : 0;
}

static int listen_to(struct su_run *run, sd_event *event, struct su_error *err)
{
        int r;

        r = sd_event_add_io(event, &run->pipe_source, run->pipe_fd, EPOLLIN, on_told, run);
        if (r >= 0)
                r = sd_event_add_child(event, &run->child_source, run->pid, WEXITED, on_ended, run);
        return r < 0 ? su_fail_errno(err, r, "cannot wait for suture") : 0;
}

int su_run_start(sd_event *event, const char *const *program, const char *const arguments[],
                 const char *language, const struct su_run_listener *listener, struct su_run **ret,
                 struct su_error *err)
{
        struct su_run *run = calloc(1, sizeof *run);
        int r;

        if (!run)
                return su_fail_oom(err);
        run->listener = *listener;
        run->pipe_fd = run->output_fd = -EBADF;
        r = start(run, program, arguments, language, err);
        if (r >= 0)
                r = listen_to(run, event, err);
        if (r < 0) {
                su_run_free(run);
                return r;
        }
        *ret = run;
        return 0;
}

void su_run_cancel(struct su_run *run)
{
        run->cancelled = true;
        if (run->pid > 0)
                (void)kill(run->pid, SIGTERM);
}

void su_run_free(struct su_run *run)
{
        if (!run)
                return;
        sd_event_source_disable_unref(run->pipe_source);
        sd_event_source_disable_unref(run->child_source);
        if (run->pid > 0) {
                (void)kill(run->pid, SIGTERM);
                (void)waitpid(run->pid, NULL, 0);
        }
        su_close_fd(&run->pipe_fd);
        su_close_fd(&run->output_fd);
        json_decref(run->last);
        free(run->line);
        free(run);
}
