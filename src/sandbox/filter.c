#include "sandbox/filter.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"

/* Work on memory and on descriptors that are open already. */
static const char computing[] =
        "read readv pread64 write writev lseek _llseek fstat fstat64 close brk munmap "
        "mremap madvise futex futex_time64 rt_sigreturn sigreturn rt_sigaction "
        "rt_sigprocmask sigaltstack getpid gettid clock_gettime clock_gettime64 "
        "clock_getres gettimeofday time getrandom sched_yield exit exit_group "
        "restart_syscall set_robust_list rseq getuid geteuid getgid getegid";

/* Resolve names, connect, wait, and read the files that Landlock leaves. */
static const char fetching[] =
        "connect getsockname getpeername getsockopt setsockopt bind shutdown sendto "
        "sendmsg sendmmsg send recv recvfrom recvmsg recvmmsg recvmmsg_time64 poll "
        "ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 pipe2 pipe "
        "eventfd2 epoll_create1 epoll_ctl epoll_wait epoll_pwait fcntl fcntl64 ioctl "
        "dup dup3 stat stat64 lstat lstat64 newfstatat fstatat64 statx statfs statfs64 "
        "fstatfs fstatfs64 access faccessat faccessat2 readlink readlinkat getdents64 "
        "uname sysinfo nanosleep clock_nanosleep clock_nanosleep_time64 "
        "sched_getaffinity membarrier getcpu ftruncate ftruncate64 rt_sigtimedwait "
        "rt_sigpending";

/* Libraries try these and go on without. */
struct failing {
        const char *name;
        int error;
};
static const struct failing failing[] = {
        {"openat2", ENOSYS},          {"clone3", ENOSYS},    {"getrlimit", EPERM},
        {"ugetrlimit", EPERM},        {"setrlimit", EPERM},  {"mlock", EPERM},
        {"memfd_create", EPERM},      {"fadvise64", EINVAL}, {"getppid", EPERM},
        {"sched_setaffinity", EPERM}, {"getrusage", EPERM},  {"setpriority", EPERM},
};
/* What only one that fetches may do. */
static const struct failing failing_unless_fetching[] = {
        {"open", EACCES},      {"openat", EACCES},
        {"stat", EACCES},      {"lstat", EACCES},
        {"statx", EACCES},     {"access", EACCES},
        {"faccessat", EACCES}, {"faccessat2", EACCES},
        {"readlink", EACCES},  {"readlinkat", EACCES},
        {"ioctl", ENOTTY},     {"sysinfo", EPERM},
        {"uname", EPERM},      {"sched_getaffinity", EPERM},
        {"getcpu", ENOSYS},    {"fcntl", EPERM},
        {"fcntl64", EPERM},    {"prctl", EPERM},
        {"prlimit64", EPERM},
};

struct filter {
        scmp_filter_ctx context;
        int result; /* the first failure */
};

static void add(struct filter *filter, uint32_t action, const char *name, unsigned n_conditions,
                const struct scmp_arg_cmp *conditions)
{
        int number = seccomp_syscall_resolve_name(name);
        int r;

        /* Not of this machine: negative, or not known to this libseccomp. */
        if (number < 0 || filter->result < 0)
                return;
        r = seccomp_rule_add_array(filter->context, action, number, n_conditions, conditions);
        if (r < 0)
                filter->result = r;
}

/* Each word of the list. */
static void allow_all(struct filter *filter, const char *list)
{
        while (*list) {
                const size_t size = strcspn(list, " ");
                char name[32];

                (void)snprintf(name, sizeof name, "%.*s", (int)size, list);
                add(filter, SCMP_ACT_ALLOW, name, 0, NULL);
                list += size;
                list += strspn(list, " ");
        }
}

static void allow_if(struct filter *filter, const char *name, struct scmp_arg_cmp condition)
{
        add(filter, SCMP_ACT_ALLOW, name, 1, &condition);
}

/* The argument of that number is, or is not, that value. */
static struct scmp_arg_cmp is(unsigned argument, scmp_datum_t value)
{
        return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value};
}

static struct scmp_arg_cmp is_not(unsigned argument, scmp_datum_t value)
{
        return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_NE, .datum_a = value};
}

/* Of the bits in `mask`, just these are set. */
static struct scmp_arg_cmp has(unsigned argument, scmp_datum_t mask, scmp_datum_t bits)
{
        return (struct scmp_arg_cmp){
                .arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = bits};
}

static void fail_if(struct filter *filter, const char *name, int error,
                    struct scmp_arg_cmp condition)
{
        add(filter, SCMP_ACT_ERRNO((uint32_t)error), name, 1, &condition);
}

/* Nothing that is written becomes code. */
static void allow_memory(struct filter *filter, enum su_worker_kind kind)
{
        static const char *const maps[] = {"mmap", "mmap2", "mprotect"};

        for (size_t i = 0; i < SU_ELEMENTS(maps); i++)
                allow_if(filter, maps[i], has(2, PROT_EXEC, 0));
        /* Modules for names, and what OpenSSL loads. */
        for (size_t i = 0; kind == SU_WORKER_FETCHES && i < 2; i++)
                allow_if(filter, maps[i], has(2, PROT_EXEC | PROT_WRITE, PROT_EXEC));
}

/* abort(3) signals itself. */
static void allow_abort(struct filter *filter)
{
        allow_if(filter, "tgkill", is(0, (scmp_datum_t)getpid()));
}

/* fstat(3) of newer C libraries. The path is "" then; any other one tells no more than that a file
 * is there. */
static void allow_fstat(struct filter *filter)
{
        allow_if(filter, "newfstatat", is(3, AT_EMPTY_PATH));
        fail_if(filter, "newfstatat", EACCES, is_not(3, AT_EMPTY_PATH));
}

static void allow_network(struct filter *filter)
{
        static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
        const scmp_datum_t thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
        const scmp_datum_t reading = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

        for (size_t i = 0; i < SU_ELEMENTS(families); i++)
                allow_if(filter, "socket", is(0, (scmp_datum_t)families[i]));
        allow_if(filter, "socketpair", is(0, AF_UNIX));
        /* libcurl resolves names in a thread. */
        allow_if(filter, "clone", has(0, thread, thread));
        allow_if(filter, "open", has(1, reading, O_RDONLY));
        allow_if(filter, "openat", has(2, reading, O_RDONLY));
        allow_if(filter, "prctl", is(0, PR_SET_NAME));
        fail_if(filter, "prctl", EPERM, is_not(0, PR_SET_NAME));
        /* Ask for a limit, not set one. */
        allow_if(filter, "prlimit64", is(2, 0));
}

static void fail_all(struct filter *filter, const struct failing *list, size_t n)
{
        for (size_t i = 0; i < n; i++)
                add(filter, SCMP_ACT_ERRNO((uint32_t)list[i].error), list[i].name, 0, NULL);
}

static void add_rules(struct filter *filter, enum su_worker_kind kind)
{
        allow_all(filter, computing);
        allow_memory(filter, kind);
        allow_abort(filter);
        fail_all(filter, failing, SU_ELEMENTS(failing));
        if (kind == SU_WORKER_FETCHES) {
                allow_all(filter, fetching);
                allow_network(filter);
        } else {
                allow_fstat(filter);
                fail_all(filter, failing_unless_fetching, SU_ELEMENTS(failing_unless_fetching));
        }
}

static void filter_done(struct filter *filter)
{
        if (filter->context)
                seccomp_release(filter->context);
}

int su_filter_load(enum su_worker_kind kind, struct su_error *err)
{
        su_auto(filter_done) struct filter filter = {.context =
                                                             seccomp_init(SCMP_ACT_KILL_PROCESS)};
        int r;

        if (!filter.context)
                return su_fail(err, SU_ERROR_UNSUPPORTED, "this kernel has no seccomp filters");
        add_rules(&filter, kind);
        if (filter.result < 0)
                return su_fail_errno(err, filter.result, "cannot make a seccomp filter");
        r = seccomp_load(filter.context);
        return r < 0 ? su_fail_errno(err, r, "cannot load a seccomp filter") : 0;
}
