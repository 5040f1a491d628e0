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

int su_process_run(const char *const argv[], char **ret_output, size_t *ret_size,
                   struct su_error *err)
{
        su_auto_close int out_fd = -EBADF;
        su_auto_close int error_fd = -EBADF;
        pid_t pid = -1;
        int status = 0;
        int r;

        r = memory_file("stdout", &out_fd, err);
        if (r >= 0)
                r = memory_file("stderr", &error_fd, err);
        if (r < 0)
                return r;
        r = spawn(argv, out_fd, error_fd, &pid);
        if (r < 0)
                return su_fail_errno(err, r, "cannot run '%s'", argv[0]);
        r = wait_for(pid, &status);
        if (r < 0)
                return su_fail_errno(err, r, "cannot wait for '%s'", argv[0]);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return explain_failure(argv[0], status, error_fd, err);
        if (!ret_output)
                return 0;
        (void)lseek(out_fd, 0, SEEK_SET);
        return su_file_read_fd(out_fd, argv[0], SU_PROCESS_OUTPUT_MAX, ret_output, ret_size, err);
}
