#include "sandbox/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/text.h"
#include "sandbox/account.h"
#include "sandbox/confine.h"
#include "sandbox/dial.h"

struct su_worker {
        const char *name;
        char *path; /* of the socket of the service that it belongs to; NULL: it is a child */
        pid_t pid;
        int channel_fd;
        struct su_inbox *inbox;
        bool unusable;
};

static int open_channel(enum su_worker_kind kind, int ret[2], struct su_error *err)
{
        int r = kind == SU_WORKER_FETCHES ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret)
                                          : pipe2(ret, O_CLOEXEC);

        return r < 0 ? su_fail_errno(err, errno, "cannot open a channel for a worker") : 0;
}

/* What our parent wants of us is no business of the worker, which ends when we do. */
static void forget_signals(void)
{
        static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

        for (size_t i = 0; i < SU_ELEMENTS(ours); i++)
                (void)signal(ours[i], SIG_IGN);
}

struct birth {
        const struct su_worker_options *options;
        struct su_account account;
        pid_t parent;
        su_worker_main work;
        void *userdata;
};

/* No exit handlers, and nothing that is buffered: they are our parent's. */
static void live(const struct birth *birth, int channel_fd) __attribute__((noreturn));
static void live(const struct birth *birth, int channel_fd)
{
        struct su_error error = {0};

        forget_signals();
        if (su_confine(birth->options, &birth->account, channel_fd, birth->parent, &error) >= 0)
                birth->work(channel_fd, birth->userdata);
        else
                (void)su_message_send_error(channel_fd, &error, NULL);
        _exit(0);
}

int su_worker_start(const struct su_worker_options *options, su_worker_main work, void *userdata,
                    struct su_worker **ret, struct su_error *err)
{
        struct birth birth = {options, {0}, getpid(), work, userdata};
        su_auto_worker struct su_worker *worker = calloc(1, sizeof *worker);
        su_auto_close int theirs_fd = -EBADF;
        int ends[2];
        int r;

        if (!worker)
                return su_fail_oom(err);
        *worker = (struct su_worker){.name = options->name, .pid = -1, .channel_fd = -EBADF};
        r = su_inbox_new(&worker->inbox, err);
        if (r >= 0)
                r = su_account_find(&birth.account, err);
        if (r >= 0)
                r = open_channel(options->kind, ends, err);
        if (r < 0)
                return r;
        worker->channel_fd = ends[0];
        theirs_fd = ends[1];
        /* Where it is ignored, as some start us, nobody learns how a child ended. */
        (void)signal(SIGCHLD, SIG_DFL);
        worker->pid = fork();
        if (worker->pid < 0)
                return su_fail_errno(err, errno, "cannot start the %s", options->name);
        if (worker->pid == 0)
                live(&birth, theirs_fd);
        *ret = su_take(worker);
        return 0;
}

int su_worker_connect(const char *name, const char *path, struct su_worker **ret,
                      struct su_error *err)
{
        su_auto_worker struct su_worker *worker = calloc(1, sizeof *worker);
        int r;

        if (!worker)
                return su_fail_oom(err);
        *worker = (struct su_worker){.name = name, .pid = -1, .channel_fd = -EBADF};
        r = su_inbox_new(&worker->inbox, err);
        if (r >= 0)
                r = su_strdup(path, &worker->path, err);
        if (r < 0)
                return r;
        r = su_dial(name, path, &worker->channel_fd, err);
        if (r < 0)
                return r;
        *ret = su_take(worker);
        return 0;
}

int su_worker_become(const struct su_worker_options *options, int channel_fd, struct su_error *err)
{
        struct su_account account;
        int r;

        /* Who asks may be gone at any time, and that is no failure. */
        (void)signal(SIGPIPE, SIG_IGN);
        r = su_account_find(&account, err);
        return r < 0 ? r : su_confine(options, &account, channel_fd, getppid(), err);
}

/* How it ended; 0 when it was us who ended it just now. */
static int reap(struct su_worker *worker)
{
        int status = 0;

        if (worker->pid <= 0)
                return 0;
        /* Of one that is ending already, this changes nothing. */
        (void)kill(worker->pid, SIGKILL);
        while (waitpid(worker->pid, &status, 0) < 0)
                if (errno != EINTR)
                        break;
        worker->pid = -1;
        return status;
}

void su_worker_free(struct su_worker *worker)
{
        if (!worker)
                return;
        (void)reap(worker);
        if (worker->path)
                su_dismiss(worker->channel_fd);
        su_close_fd(&worker->channel_fd);
        su_inbox_free(worker->inbox);
        free(worker->path);
        free(worker);
}

bool su_worker_is_usable(const struct su_worker *worker)
{
        return !worker->unusable;
}

static const char *name_cause(int signal_number)
{
        switch (signal_number) {
        case SIGSYS:
                return ": it made a system call that is not allowed to it";
        case SIGXCPU:
                return ": it took more time than is allowed to it";
        case SIGXFSZ:
                return ": it wrote more than was promised";
        case SIGBUS:
                return ": a file that it read has changed, or cannot be read";
        default:
                return "";
        }
}

/* It has closed its end without a result. */
static int explain_end(struct su_worker *worker, struct su_error *err)
{
        int status = reap(worker);

        worker->unusable = true;
        if (worker->path)
                return su_fail(err, SU_ERROR_WORKER,
                               "the %s at '%s' ended without a result: its service's journal may "
                               "say why",
                               worker->name, worker->path);
        if (WIFSIGNALED(status))
                return su_fail(err, SU_ERROR_WORKER, "the %s was ended by signal %d (%s)%s",
                               worker->name, WTERMSIG(status), strsignal(WTERMSIG(status)),
                               name_cause(WTERMSIG(status)));
        return su_fail(err, SU_ERROR_WORKER, "the %s ended without a result, with status %d",
                       worker->name, WEXITSTATUS(status));
}

static int take_message(struct su_worker *worker, struct su_message *ret, struct su_error *err)
{
        int r = su_inbox_take(worker->inbox, ret, err);

        if (r < 0)
                worker->unusable = true;
        else if (r > 0 && ret->kind == SU_MESSAGE_ERROR)
                r = su_message_get_error(ret, err);
        return r;
}

static int read_channel(struct su_worker *worker, struct su_error *err)
{
        int r = su_inbox_fill(worker->inbox, worker->channel_fd, err);

        if (r == 0)
                return explain_end(worker, err);
        worker->unusable |= r < 0;
        return r;
}

int su_worker_wait(struct su_worker *worker, int timeout_ms, struct su_message *ret,
                   struct su_error *err)
{
        struct pollfd channel = {.fd = worker->channel_fd, .events = POLLIN};
        int r;

        r = take_message(worker, ret, err);
        if (r != 0)
                return r;
        r = poll(&channel, 1, timeout_ms);
        if (r < 0 && errno != EINTR) {
                worker->unusable = true;
                return su_fail_errno(err, errno, "cannot wait for the %s", worker->name);
        }
        if (r <= 0)
                return 0;
        r = read_channel(worker, err);
        return r < 0 ? r : take_message(worker, ret, err);
}

/* A worker that waits for its task has room for it: nobody waits for one that does not. Of one that
 * is gone, the next wait finds what it said before, and how it ended. */
int su_worker_ask(struct su_worker *worker, uint32_t kind, const void *data, size_t size,
                  struct su_error *err)
{
        uint8_t piece[SU_MESSAGE_PIECE_MAX];
        size_t piece_size;
        ssize_t n;
        int r;

        r = su_message_format(kind, data, size, piece, &piece_size, err);
        if (r < 0)
                return r;
        do
                n = send(worker->channel_fd, piece, piece_size, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n == (ssize_t)piece_size || (n < 0 && (errno == EPIPE || errno == ECONNRESET)))
                return 0;
        worker->unusable = true;
        return su_fail_errno(err, n < 0 ? errno : EAGAIN, "cannot give the %s a task",
                             worker->name);
}
