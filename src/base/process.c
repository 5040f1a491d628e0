#include "base/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/text.h"

/* Both streams go to memory files: no pipe can fill up, and reading waits for the end. */
static int memory_file(const char *name, int *ret_fd, struct su_error *err)
{
        int fd = memfd_create(name, MFD_CLOEXEC);

        if (fd < 0)
                return su_fail_errno(err, errno, "cannot create a memory file");
        *ret_fd = fd;
        return 0;
}

static int spawn(const char *const argv[], int out_fd, int error_fd, pid_t *ret_pid)
{
        posix_spawn_file_actions_t actions;
        int r;

        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, error_fd, STDERR_FILENO);
        if (r == 0)
                r = posix_spawnp(ret_pid, argv[0], &actions, NULL, (char *const *)argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        return -r;
}

static int wait_for(pid_t pid, int *ret_status)
{
        while (waitpid(pid, ret_status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

static int explain_failure(const char *program, int status, int error_fd, struct su_error *err)
{
        su_auto_free char *text = NULL;
        int r;

        (void)lseek(error_fd, 0, SEEK_SET);
        r = su_file_read_fd(error_fd, program, SU_PROCESS_OUTPUT_MAX, &text, NULL, err);
        if (r < 0)
                return r;
        if (WIFSIGNALED(status))
                return su_fail(err, SU_ERROR_SYSTEM, "%s was ended by signal %d: %s", program,
                               WTERMSIG(status), su_last_line(text));
        return su_fail(err, SU_ERROR_SYSTEM, "%s failed with status %d: %s", program,
                       WEXITSTATUS(status), su_last_line(text));
}

/* Runs to its end; what it said is in the two files. */
static int run(const char *const argv[], int out_fd, int error_fd, int *ret_status,
               struct su_error *err)
{
        pid_t pid = -1;
        int r;

        r = spawn(argv, out_fd, error_fd, &pid);
        if (r < 0)
                return su_fail_errno(err, r, "cannot run '%s'", argv[0]);
        r = wait_for(pid, ret_status);
        return r < 0 ? su_fail_errno(err, r, "cannot wait for '%s'", argv[0]) : 0;
}

static int read_output(const char *program, int out_fd, char **ret, size_t *ret_size,
                       struct su_error *err)
{
        if (!ret)
                return 0;
        (void)lseek(out_fd, 0, SEEK_SET);
        return su_file_read_fd(out_fd, program, SU_PROCESS_OUTPUT_MAX, ret, ret_size, err);
}

/* With `ret_status` an exit status is an answer, else anything but 0 is a failure. */
static int run_and_read(const char *const argv[], char **ret_output, size_t *ret_size,
                        int *ret_status, struct su_error *err)
{
        su_auto_close int out_fd = -EBADF;
        su_auto_close int error_fd = -EBADF;
        int status = 0;
        int r;

        r = memory_file("stdout", &out_fd, err);
        if (r >= 0)
                r = memory_file("stderr", &error_fd, err);
        if (r >= 0)
                r = run(argv, out_fd, error_fd, &status, err);
        if (r < 0)
                return r;
        if (!WIFEXITED(status) || (!ret_status && WEXITSTATUS(status) != 0))
                return explain_failure(argv[0], status, error_fd, err);
        r = read_output(argv[0], out_fd, ret_output, ret_size, err);
        if (r >= 0 && ret_status)
                *ret_status = WEXITSTATUS(status);
        return r;
}

int su_process_run(const char *const argv[], char **ret_output, size_t *ret_size,
                   struct su_error *err)
{
        return run_and_read(argv, ret_output, ret_size, NULL, err);
}

int su_process_ask(const char *const argv[], char **ret_output, int *ret_status,
                   struct su_error *err)
{
        return run_and_read(argv, ret_output, NULL, ret_status, err);
}
