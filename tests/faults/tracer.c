/* Run a command, number the calls that it and its children make, and do something at one of them.
 *
 *     tracer LOG list COMMAND...                 name them all
 *     tracer LOG kill POINT COMMAND...           end the process that makes the call, by SIGKILL
 *     tracer LOG cut POINT DIR COMMAND...        drop what is not durable on the ext4 file system
 *                                                of DIR, then end all processes: a power cut
 *     tracer LOG fail POINT ERRNO COMMAND...     the call fails, nothing is done
 *     tracer LOG failing POINT ERRNO COMMAND...  and so does each later one that changes a file
 *
 * What happens comes in the place of the call: it is not made. A POINT is PROCESS.changeN or
 * PROCESS.lookN: the first process is 0, its first child 1; in each process, calls that change
 * something are numbered from 1, and so are the others, whose number depends on what else runs on
 * the machine. They count from the first geteuid(2) on: what the loader does is not ours. Lines of
 * LOG are "POINT NAME KIND WHAT"; all but `list` write the one call at which it happened. KIND says
 * what the call may change: a file, the mounts, the processes, or nothing. The exit status is the
 * command's, 128 and the signal when one ended it, 125 when the tracer itself failed. A power cut
 * at a point that never comes is done after the end. */
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of <linux/ptrace.h>, which <sys/ptrace.h> does not get on with. */
#define GET_SYSCALL_INFO 0x420e
#define SYSCALL_ENTRY 1
struct syscall_info {
        uint8_t op;
        uint8_t reserved[3];
        uint32_t arch;
        uint64_t instruction_pointer;
        uint64_t stack_pointer;
        uint64_t nr;
        uint64_t args[6];
        uint64_t more;
};

/* Of <linux/ext4.h>: not even the journal is written out. */
#define EXT4_SHUTDOWN _IOR('X', 125, uint32_t)
#define EXT4_SHUTDOWN_NOLOGFLUSH 2

#define TRACEES_MAX 64

enum what { NOTHING, FD, PATH, PATH_AT };

enum kind { LOOKS, FILES, MOUNTS, PROCESSES };

/* What may fail, what it changes, and which argument says what it is about. */
static const struct call {
        long number;
        const char *name;
        enum kind kind;
        enum what what;
} calls[] = {
#define CALL(name, kind, what)                                                                     \
        {                                                                                          \
                SYS_##name, #name, kind, what                                                      \
        }
        CALL(openat, LOOKS, PATH_AT),
        CALL(openat2, LOOKS, PATH_AT),
        CALL(mkdirat, FILES, PATH_AT),
        CALL(write, FILES, FD),
        CALL(pwrite64, FILES, FD),
        CALL(writev, FILES, FD),
        CALL(pwritev, FILES, FD),
        CALL(renameat, FILES, PATH_AT),
        CALL(renameat2, FILES, PATH_AT),
        CALL(linkat, FILES, PATH_AT),
        CALL(symlinkat, FILES, PATH),
        CALL(unlinkat, FILES, PATH_AT),
        CALL(fsync, FILES, FD),
        CALL(fdatasync, FILES, FD),
        CALL(sync_file_range, FILES, FD),
        CALL(syncfs, FILES, FD),
        CALL(ftruncate, FILES, FD),
        CALL(fallocate, FILES, FD),
        CALL(copy_file_range, FILES, FD),
        CALL(sendfile, FILES, FD),
        CALL(fchmod, FILES, FD),
        CALL(fchmodat, FILES, PATH_AT),
        CALL(fchown, FILES, FD),
        CALL(utimensat, FILES, PATH_AT),
        CALL(fsetxattr, FILES, FD),
        CALL(ioctl, FILES, FD),
        CALL(mount, MOUNTS, PATH),
        CALL(umount2, MOUNTS, PATH),
        CALL(move_mount, MOUNTS, FD),
        CALL(open_tree, MOUNTS, PATH_AT),
        CALL(fsopen, MOUNTS, PATH),
        CALL(fsconfig, MOUNTS, FD),
        CALL(fsmount, MOUNTS, FD),
        CALL(mount_setattr, MOUNTS, FD),
        CALL(unshare, PROCESSES, NOTHING),
        CALL(setns, PROCESSES, FD),
        CALL(clone, PROCESSES, NOTHING),
        CALL(clone3, PROCESSES, NOTHING),
        CALL(chdir, LOOKS, PATH),
        CALL(fchdir, LOOKS, FD),
        CALL(flock, LOOKS, FD),
        CALL(fcntl, LOOKS, FD),
        CALL(read, LOOKS, FD),
        CALL(pread64, LOOKS, FD),
        CALL(lseek, LOOKS, FD),
        CALL(readlinkat, LOOKS, PATH_AT),
        CALL(getdents64, LOOKS, FD),
        CALL(fstat, LOOKS, FD),
        CALL(newfstatat, LOOKS, PATH_AT),
        CALL(statx, LOOKS, PATH_AT),
        CALL(statfs, LOOKS, PATH),
        CALL(fstatfs, LOOKS, FD),
        CALL(faccessat, LOOKS, PATH_AT),
        CALL(faccessat2, LOOKS, PATH_AT),
        CALL(memfd_create, LOOKS, PATH),
        CALL(socketpair, LOOKS, NOTHING),
        CALL(socket, LOOKS, NOTHING),
        CALL(connect, LOOKS, FD),
        CALL(sendto, LOOKS, FD),
        CALL(recvfrom, LOOKS, FD),
        CALL(sendmsg, LOOKS, FD),
        CALL(recvmsg, LOOKS, FD),
        CALL(ppoll, LOOKS, NOTHING),
        CALL(pipe2, LOOKS, NOTHING),
        CALL(wait4, LOOKS, NOTHING),
        CALL(dup, LOOKS, FD),
        CALL(dup3, LOOKS, FD),
#ifdef SYS_open /* the older calls, which newer machines lack */
        CALL(open, LOOKS, PATH),
        CALL(mkdir, FILES, PATH),
        CALL(rename, FILES, PATH),
        CALL(link, FILES, PATH),
        CALL(symlink, FILES, PATH),
        CALL(unlink, FILES, PATH),
        CALL(rmdir, FILES, PATH),
        CALL(chmod, FILES, PATH),
        CALL(fork, PROCESSES, NOTHING),
        CALL(vfork, PROCESSES, NOTHING),
        CALL(readlink, LOOKS, PATH),
        CALL(stat, LOOKS, PATH),
        CALL(lstat, LOOKS, PATH),
        CALL(access, LOOKS, PATH),
        CALL(poll, LOOKS, NOTHING),
        CALL(pipe, LOOKS, NOTHING),
        CALL(dup2, LOOKS, FD),
#endif
#undef CALL
};

struct tracee {
        pid_t pid;
        int process;
        unsigned calls[2]; /* looks, changes */
        bool fails;        /* the call that it is in */
};

enum mode { LIST, KILL, CUT, FAIL, FAILING };

static struct {
        enum mode mode;
        int process;
        bool is_change;
        unsigned call;
        int error;
        int disk_fd;
        FILE *log;
        bool armed;
        bool reached;
} task = {.disk_fd = -1};

static struct tracee tracees[TRACEES_MAX];
static size_t n_tracees;

static struct tracee *find_tracee(pid_t pid)
{
        for (size_t i = 0; i < n_tracees; i++)
                if (tracees[i].pid == pid)
                        return &tracees[i];
        if (n_tracees == TRACEES_MAX)
                errx(125, "too many processes");
        tracees[n_tracees] = (struct tracee){.pid = pid, .process = (int)n_tracees};
        return &tracees[n_tracees++];
}

static const struct call *find_call(uint64_t number)
{
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
                if ((uint64_t)calls[i].number == number)
                        return &calls[i];
        return NULL;
}

static bool is_write(const struct call *call)
{
        return call->number == SYS_write || call->number == SYS_writev;
}

/* Of the many that there are: sealing a file, and setting up a loop device. */
static enum kind kind_of_ioctl(uint64_t request)
{
        if (request == FS_IOC_ENABLE_VERITY)
                return FILES;
        return request >> 8 == LOOP_SET_FD >> 8 ? MOUNTS : LOOKS;
}

static enum kind find_kind(const struct call *call, const struct syscall_info *info)
{
        uint64_t flags = call->number == SYS_openat ? info->args[2] : 0;

#ifdef SYS_open
        if (call->number == SYS_open)
                flags = info->args[1];
#endif
        if ((flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0)
                return FILES;
        if (call->number == SYS_ioctl)
                return kind_of_ioctl(info->args[1]);
        /* What the command says is no part of the device. */
        if (is_write(call) && info->args[0] <= STDERR_FILENO)
                return LOOKS;
        return call->kind;
}

static void describe_path(pid_t pid, uint64_t address, char *ret, size_t size)
{
        struct iovec to = {ret, size - 1};
        struct iovec from = {(void *)(uintptr_t)address, size - 1};
        ssize_t n = process_vm_readv(pid, &to, 1, &from, 1, 0);

        /* Near the end of a mapping not all can be read. */
        while (n < 0 && from.iov_len > 16) {
                from.iov_len /= 2;
                n = process_vm_readv(pid, &to, 1, &from, 1, 0);
        }
        ret[n < 0 ? 0 : n] = '\0';
}

static void describe(const struct tracee *tracee, const struct call *call,
                     const struct syscall_info *info, char *ret, size_t size)
{
        char link[64];
        ssize_t n;

        ret[0] = '\0';
        if (call->what == PATH || call->what == PATH_AT) {
                describe_path(tracee->pid, info->args[call->what == PATH_AT], ret, size);
        } else if (call->what == FD) {
                (void)snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)tracee->pid,
                               (int)info->args[0]);
                n = readlink(link, ret, size - 1);
                ret[n < 0 ? 0 : n] = '\0';
        }
        for (char *c = ret; *c; c++)
                if (*c < ' ' || *c > '~')
                        *c = '?';
}

static void note(const struct tracee *tracee, const struct call *call,
                 const struct syscall_info *info)
{
        static const char *const kinds[] = {"nothing", "file", "mounts", "processes"};
        const enum kind kind = find_kind(call, info);
        const bool is_change = kind != LOOKS;
        char what[512];

        describe(tracee, call, info, what, sizeof what);
        (void)fprintf(task.log, "%d.%s%u %s %s %s\n", tracee->process,
                      is_change ? "change" : "look", tracee->calls[is_change], call->name,
                      kinds[kind], what);
        (void)fflush(task.log);
}

static void set_number(pid_t pid, long number)
{
#if defined(__x86_64__)
        if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), number) < 0)
                err(125, "cannot change the call");
#elif defined(__aarch64__)
        int value = (int)number;
        struct iovec part = {&value, sizeof value};

        if (ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &part) < 0)
                err(125, "cannot change the call");
#else
#error "how is a call's number changed on this machine?"
#endif
}

static void set_result(pid_t pid, long result)
{
        struct user_regs_struct registers;
        struct iovec part = {&registers, sizeof registers};

        if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) < 0)
                err(125, "cannot read the registers");
#if defined(__x86_64__)
        registers.rax = (unsigned long long)result;
#else
        registers.regs[0] = (unsigned long long)result;
#endif
        if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part) < 0)
                err(125, "cannot change the result");
}

static void shut_down(void)
{
        uint32_t how = EXT4_SHUTDOWN_NOLOGFLUSH;

        if (ioctl(task.disk_fd, EXT4_SHUTDOWN, &how) < 0)
                err(125, "cannot shut the file system down");
}

/* Another one is made in its place, which nothing forbids: a filter of system calls sees what we
 * make of it, and would end a worker that made none. */
static void fail(struct tracee *tracee)
{
        set_number(tracee->pid, SYS_getpid);
        tracee->fails = true;
}

static void happen(struct tracee *tracee)
{
        task.reached = true;
        if (task.mode == CUT)
                shut_down();
        if (task.mode == FAIL || task.mode == FAILING) {
                fail(tracee);
                return;
        }
        set_number(tracee->pid, -1);
        for (size_t i = 0; i < n_tracees; i++)
                if (task.mode == CUT || tracees[i].pid == tracee->pid)
                        (void)kill(tracees[i].pid, SIGKILL);
}

static void enter(struct tracee *tracee, const struct syscall_info *info)
{
        const struct call *call = find_call(info->nr);
        bool is_change;

        task.armed |= info->nr == SYS_geteuid;
        if (!task.armed || !call)
                return;
        is_change = find_kind(call, info) != LOOKS;
        tracee->calls[is_change]++;
        if (task.mode == LIST) {
                note(tracee, call, info);
        } else if (tracee->process == task.process && is_change == task.is_change &&
                   tracee->calls[is_change] == task.call) {
                note(tracee, call, info);
                happen(tracee);
        } else if (task.mode == FAILING && task.reached && find_kind(call, info) == FILES) {
                fail(tracee);
        }
}

static void leave(struct tracee *tracee)
{
        if (tracee->fails)
                set_result(tracee->pid, -(long)task.error);
        tracee->fails = false;
}

static void handle_call(struct tracee *tracee)
{
        struct syscall_info info = {0};

        if (ptrace(GET_SYSCALL_INFO, tracee->pid, sizeof info, &info) < 0)
                return; /* it is dying */
        if (info.op == SYSCALL_ENTRY)
                enter(tracee, &info);
        else
                leave(tracee);
}

/* What the tracee is to get of the signal that it has stopped for. */
static int handle_stop(struct tracee *tracee, int status)
{
        int signal_number = WSTOPSIG(status);

        if (signal_number == (SIGTRAP | 0x80))
                handle_call(tracee);
        else if (signal_number != SIGSTOP && status >> 16 == 0)
                return signal_number;
        return 0;
}

static int trace(pid_t first)
{
        int result = 125;
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, __WALL)) > 0) {
                if (WIFSTOPPED(status)) {
                        int signal_number = handle_stop(find_tracee(pid), status);

                        (void)ptrace(PTRACE_SYSCALL, pid, 0, signal_number);
                } else if (pid == first) {
                        result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                }
        }
        return result;
}

static pid_t start(char **command)
{
        const int options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK |
                            PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                (void)raise(SIGSTOP);
                (void)execv(command[0], command);
                _exit(127);
        }
        if (pid < 0 || ptrace(PTRACE_SEIZE, pid, 0, options) < 0)
                err(125, "cannot trace");
        (void)find_tracee(pid);
        if (waitpid(pid, &status, __WALL) < 0 || kill(pid, SIGCONT) < 0)
                err(125, "cannot start");
        (void)ptrace(PTRACE_SYSCALL, pid, 0, 0);
        return pid;
}

static void take_point(const char *text)
{
        char kind[8];

        if (!text || sscanf(text, "%d.%7[a-z]%u", &task.process, kind, &task.call) != 3)
                errx(125, "malformed point");
        task.is_change = strcmp(kind, "change") == 0;
}

static char **take_arguments(char **argv)
{
        static const char *const modes[] = {"list", "kill", "cut", "fail", "failing"};
        size_t mode = 0;

        while (mode < sizeof modes / sizeof *modes && (!*argv || strcmp(*argv, modes[mode]) != 0))
                mode++;
        if (mode == sizeof modes / sizeof *modes)
                errx(125, "unknown mode");
        task.mode = (enum mode)mode;
        argv++;
        if (mode == LIST)
                return argv;
        take_point(*argv++);
        if (!argv[0])
                errx(125, "too few arguments");
        if (mode == CUT && (task.disk_fd = open(*argv++, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
                err(125, "cannot open the file system");
        if (mode == FAIL || mode == FAILING)
                task.error = (int)strtol(*argv++, NULL, 10);
        return argv;
}

int main(int argc, char **argv)
{
        char **command;
        int result;

        if (argc < 4)
                errx(125, "too few arguments");
        task.log = fopen(argv[1], "we");
        if (!task.log)
                err(125, "cannot open '%s'", argv[1]);
        command = take_arguments(argv + 2);
        result = trace(start(command));
        if (task.mode == CUT && !task.reached)
                shut_down();
        return result;
}
