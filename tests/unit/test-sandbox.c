/* What a worker that was taken over may try, and what comes of it. */
#include "support.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "sandbox/job.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

#define MIB (UINT64_C(1) << 20)
#define FILE_MAX 1000

typedef int (*work)(void *userdata, su_job_progress progress, void *teller, struct su_error *err);

static struct su_job job_of(work what, void *userdata)
{
        return (struct su_job){
                .worker = {.name = "thief",
                           .kind = SU_WORKER_COMPUTES,
                           .memory_max = 256 * MIB,
                           .file_max = FILE_MAX,
                           .cpu_max_s = 10},
                .time_max_s = 20,
                .work = what,
                .userdata = userdata,
        };
}

static int run_with(work what, const int *fds, size_t n_fds, void *userdata, struct su_error *err)
{
        struct su_job job = job_of(what, userdata);

        job.worker.fds = fds;
        job.worker.n_fds = n_fds;
        return su_job_run(&job, err);
}

/* Nothing of it is left. */
static void assert_no_children(void)
{
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

static int nothing(void *userdata, su_job_progress progress, void *teller, struct su_error *err)
{
        (void)userdata;
        (void)progress;
        (void)teller;
        (void)err;
        return 0;
}

static int write_word(void *userdata, su_job_progress progress, void *teller, struct su_error *err)
{
        (void)progress;
        (void)teller;
        return su_write_all(*(int *)userdata, "word", 4, "what it was given", err);
}

static void test_it_works_on_what_it_is_given(void **state)
{
        su_auto_close int fd = memory_file_of("", 0);
        struct su_error err = {0};
        struct stat st;

        (void)state;
        assert_ok(run_with(nothing, NULL, 0, NULL, &err), err);
        assert_ok(run_with(write_word, &fd, 1, &fd, &err), err);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_size, 4);
        assert_no_children();
}

static int fail_with_reason(void *userdata, su_job_progress progress, void *teller,
                            struct su_error *err)
{
        (void)userdata;
        (void)progress;
        (void)teller;
        return su_fail(err, SU_ERROR_DELTA, "the reason\n");
}

static void test_a_failure_comes_back(void **state)
{
        struct su_error err = {0};

        (void)state;
        assert_fails_with(run_with(fail_with_reason, NULL, 0, NULL, &err), err, DELTA,
                          "the reason?");
        assert_no_children();
}

static int progress_by_tens(void *userdata, su_job_progress progress, void *teller,
                            struct su_error *err)
{
        (void)userdata;
        for (uint64_t done = 0; done <= 100; done += 10) {
                uint64_t until = su_monotonic_us() + 30000;

                if (progress(teller, done, 100))
                        return su_fail(err, SU_ERROR_SYSTEM, "nobody listens");
                while (su_monotonic_us() < until)
                        ;
        }
        return 0;
}

struct seen {
        uint64_t last;
        unsigned times;
        uint64_t stop_at;
};

static bool see(void *userdata, uint64_t done, uint64_t total)
{
        struct seen *seen = userdata;

        assert_true(done >= seen->last && done <= total);
        seen->last = done;
        seen->times++;
        return seen->stop_at > 0 && done >= seen->stop_at;
}

static void test_progress_and_cancellation(void **state)
{
        struct su_job job = job_of(progress_by_tens, NULL);
        struct seen seen = {0};
        struct su_error err = {0};

        (void)state;
        job.progress = see;
        job.listener = &seen;
        assert_ok(su_job_run(&job, &err), err);
        assert_int_equal(seen.last, 100);
        assert_in_range(seen.times, 5, 20);
        seen = (struct seen){.stop_at = 30};
        assert_fails_with(su_job_run(&job, &err), err, CANCELLED, "cancelled");
        assert_in_range(seen.last, 30, 90);
        assert_no_children();
}

/* What a thief does: each returns 0 when it succeeds, and fails when it is refused. */
#define THIEF(name, ...)                                                                           \
        static int name(void *userdata, su_job_progress progress, void *teller,                    \
                        struct su_error *err)                                                      \
        {                                                                                          \
                (void)userdata;                                                                    \
                (void)progress;                                                                    \
                (void)teller;                                                                      \
                (void)err;                                                                         \
                __VA_ARGS__                                                                        \
                return 0;                                                                          \
        }
#define refused(call)                                                                              \
        do {                                                                                       \
                if ((call) < 0)                                                                    \
                        return su_fail_errno(err, errno, #call);                                   \
        } while (0)

THIEF(open_a_file, refused(open("/etc/passwd", O_RDONLY | O_CLOEXEC));)
THIEF(make_a_file, refused(open("/var/tmp/suture-thief", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));)
THIEF(list_a_directory, refused(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));)
THIEF(open_again, refused(open("/proc/self/fd/0", O_RDWR | O_CLOEXEC));)
THIEF(push_to_the_terminal, refused(ioctl(0, TIOCSTI, "x"));)
THIEF(open_a_socket, refused(socket(AF_INET, SOCK_STREAM, 0));)
THIEF(open_a_unix_socket, refused(socket(AF_UNIX, SOCK_STREAM, 0));)
THIEF(open_a_pair, int pair[2]; refused(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));)
THIEF(
        start_a_child, pid_t pid = fork(); if (pid == 0) {
                (void)setsid();
                for (;;)
                        ;
        } refused(pid);)
THIEF(start_by_clone3, refused(syscall(SYS_clone3, NULL, 0));)
THIEF(leave_the_session, refused(setsid());)
THIEF(become_root, refused(setuid(0));)
THIEF(run_a_program, refused(execl("/bin/true", "true", NULL));)
THIEF(kill_init, refused(kill(1, 0));)
THIEF(signal_a_thread_of_another, refused(syscall(SYS_tgkill, 1, 1, 0));)
THIEF(be_traced, refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL));)
THIEF(read_another, refused(syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));)
THIEF(mount_something, refused(syscall(SYS_mount, "x", "/nowhere", "tmpfs", 0, NULL));)
THIEF(make_a_namespace, refused(syscall(SYS_unshare, CLONE_NEWUSER));)
THIEF(outlive_by_prctl, refused(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0));)
THIEF(raise_a_limit, const struct rlimit limit = {FILE_MAX + 1, FILE_MAX + 1};
      refused(setrlimit(RLIMIT_FSIZE, &limit));)
THIEF(make_code, void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      refused(code == MAP_FAILED ? -1 : 0);)
THIEF(use_a_ring, refused(syscall(SYS_io_uring_setup, 1, NULL));)
THIEF(load_a_program, refused(syscall(SYS_bpf, 0, NULL, 0));)
THIEF(look_for_a_file, struct stat st; refused(stat("/etc/shadow", &st));)
THIEF(call_for_32_bits, refused(syscall(0x40000000 + 41, AF_INET, SOCK_STREAM, 0));)

static void test_what_a_thief_may_not(void **state)
{
        static const struct {
                work what;
                bool is_ended; /* or it only fails */
        } cases[] = {
                {open_a_file, false},
                {make_a_file, false},
                {list_a_directory, false},
                {open_again, false},
                {push_to_the_terminal, false},
                {open_a_socket, true},
                {open_a_unix_socket, true},
                {open_a_pair, true},
                {start_a_child, true},
                {start_by_clone3, false},
                {leave_the_session, true},
                {become_root, true},
                {run_a_program, true},
                {kill_init, true},
                {signal_a_thread_of_another, true},
                {be_traced, true},
                {read_another, true},
                {mount_something, true},
                {make_a_namespace, true},
                {outlive_by_prctl, false},
                {raise_a_limit, false},
                {make_code, true},
                {use_a_ring, true},
                {load_a_program, true},
                {look_for_a_file, false},
                {call_for_32_bits, true},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                struct su_error err = {0};
                int r = run_with(cases[i].what, NULL, 0, NULL, &err);

                if (r >= 0 || (err.code == SU_ERROR_WORKER) != cases[i].is_ended)
                        fail_msg("case %zu: %d: %s", i, r, err.message);
                if (cases[i].is_ended)
                        assert_contains(err.message, "a system call that is not allowed");
                assert_no_children();
        }
}

THIEF(resolve_and_connect, refused(open("/etc/hosts", O_RDONLY | O_CLOEXEC));
      refused(socket(AF_INET, SOCK_STREAM, 0)); refused(socket(AF_NETLINK, SOCK_RAW, 0));)
THIEF(serve, const struct sockaddr_in any = {.sin_family = AF_INET};
      int fd = socket(AF_INET, SOCK_STREAM, 0); refused(fd);
      refused(bind(fd, (const struct sockaddr *)&any, sizeof any));)
THIEF(listen_to_all, refused(socket(AF_PACKET, SOCK_RAW, 0));)
THIEF(write_a_file, refused(open("/dev/null", O_WRONLY | O_CLOEXEC));)

/* What one that fetches may, and what it may not for all that. */
static void test_what_a_fetcher_may_not(void **state)
{
        static const struct {
                work what;
                enum { FAILS, ENDS, SUCCEEDS } becomes;
                int landlock; /* the version that it takes */
        } cases[] = {
                {resolve_and_connect, SUCCEEDS, 0},
                {open_a_file, FAILS, 1},
                {list_a_directory, FAILS, 1},
                {open_again, ENDS, 0},
                {serve, FAILS, 4},
                {listen_to_all, ENDS, 0},
                {write_a_file, ENDS, 0},
                {make_a_file, ENDS, 0},
                {start_a_child, ENDS, 0},
                {start_by_clone3, FAILS, 0},
                {leave_the_session, ENDS, 0},
                {become_root, ENDS, 0},
                {run_a_program, ENDS, 0},
                {kill_init, ENDS, 0},
                {be_traced, ENDS, 0},
                {read_another, ENDS, 0},
                {outlive_by_prctl, FAILS, 0},
                {raise_a_limit, ENDS, 0},
                {make_code, ENDS, 0},
                {use_a_ring, ENDS, 0},
        };
        long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                struct su_job job = job_of(cases[i].what, NULL);
                struct su_error err = {0};
                int r;

                if (version < cases[i].landlock) {
                        print_message("NOT TESTED: case %zu, for want of Landlock\n", i);
                        continue;
                }
                job.worker.kind = SU_WORKER_FETCHES;
                r = su_job_run(&job, &err);
                if ((r >= 0) != (cases[i].becomes == SUCCEEDS) ||
                    (err.code == SU_ERROR_WORKER) != (cases[i].becomes == ENDS))
                        fail_msg("case %zu: %d: %s", i, r, err.message);
                assert_no_children();
        }
}

static int use_descriptor(void *userdata, su_job_progress progress, void *teller,
                          struct su_error *err)
{
        char byte = 0;

        (void)progress;
        (void)teller;
        return read(*(int *)userdata, &byte, 1) < 0 ? su_fail_errno(err, errno, "reading") : 0;
}

/* Whatever the program has open besides is not there. */
static void test_no_other_descriptor(void **state)
{
        su_auto_close int first = memory_file_of("", 0);
        su_auto_close int second = memory_file_of("", 0);
        su_auto_close int third = memory_file_of("", 0);
        const int kept[] = {third, first};
        struct su_error err = {0};

        (void)state;
        assert_ok(run_with(use_descriptor, kept, 2, &first, &err), err);
        assert_ok(run_with(use_descriptor, kept, 2, &third, &err), err);
        assert_fails_with(run_with(use_descriptor, kept, 2, &second, &err), err, SYSTEM,
                          strerror(EBADF));
}

static int write_much(void *userdata, su_job_progress progress, void *teller, struct su_error *err)
{
        int fd = *(int *)userdata;
        char much[FILE_MAX] = {0};

        (void)progress;
        (void)teller;
        if (su_write_all(fd, much, sizeof much, "file", err) < 0)
                return -EIO;
        return su_write_all(fd, much, 1, "file", err);
}

static void test_a_file_grows_no_larger(void **state)
{
        const struct scratch *scratch = *state;
        su_auto_close int fd = openat(scratch->fd, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        struct su_error err = {0};
        struct stat st;

        assert_true(fd > STDERR_FILENO);
        assert_fails_with(run_with(write_much, &fd, 1, &fd, &err), err, WORKER,
                          "more than was promised");
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_size, FILE_MAX);
}

THIEF(
        take_memory, for (uint64_t taken = 0; taken < 1024 * MIB; taken += 16 * MIB) {
                void *memory = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

                refused(memory == MAP_FAILED ? -1 : 0);
        })
THIEF(never_end, for (;;)(void) getpid();)
THIEF(sleep_for_ever, char byte; refused(read(*(int *)userdata, &byte, 1));)
THIEF(crash, (void)raise(SIGSEGV); abort();)

static void test_memory_is_limited(void **state)
{
        struct su_error err = {0};

        (void)state;
        if (IS_SANITIZED)
                skip_because("the sanitizer takes all of the address space");
        assert_fails_with(run_with(take_memory, NULL, 0, NULL, &err), err, SYSTEM,
                          strerror(ENOMEM));
}

static void test_time_is_limited(void **state)
{
        struct su_job job = job_of(never_end, NULL);
        struct su_error err = {0};
        uint64_t began = su_monotonic_us();
        int ends[2];

        (void)state;
        job.worker.cpu_max_s = 1;
        assert_fails_with(su_job_run(&job, &err), err, WORKER, "more time");
        job.worker.cpu_max_s = 100;
        job.time_max_s = 1;
        assert_fails_with(su_job_run(&job, &err), err, WORKER, "did not end within 1 s");
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        job.work = sleep_for_ever;
        job.worker.fds = job.userdata = ends;
        job.worker.n_fds = 2;
        assert_fails_with(su_job_run(&job, &err), err, WORKER, "did not end within 1 s");
        (void)close(ends[0]);
        (void)close(ends[1]);
        assert_true(su_monotonic_us() - began < 15000000);
        assert_no_children();
}

static bool stop_at_once(void *userdata, uint64_t done, uint64_t total)
{
        (void)userdata;
        (void)done;
        (void)total;
        return true;
}

static void test_a_silent_one_is_cancelled(void **state)
{
        struct su_job job = job_of(never_end, NULL);
        struct su_error err = {0};
        uint64_t began = su_monotonic_us();

        (void)state;
        job.progress = stop_at_once;
        assert_fails_with(su_job_run(&job, &err), err, CANCELLED, "cancelled");
        assert_true(su_monotonic_us() - began < 5000000);
}

static void test_a_crash_has_its_own_error(void **state)
{
        struct su_error err = {0};
        int r = run_with(crash, NULL, 0, NULL, &err);

        (void)state;
        assert_true(r < 0);
        assert_int_equal(err.code, SU_ERROR_WORKER);
        assert_int_equal(su_error_exit_status(err.code), 49);
        assert_contains(err.message, "the thief ");
}

static void assert_line(const char *text, const char *name, const char *wanted)
{
        const char *line = strstr(text, name);

        assert_non_null(line);
        line += strlen(name);
        line += strspn(line, "\t ");
        if (strncmp(line, wanted, strlen(wanted)) != 0)
                fail_msg("%s is not %s: %.40s", name, wanted, line);
}

struct looker {
        char path[64];
        char *status;
};

static bool look_at_it(void *userdata, uint64_t done, uint64_t total)
{
        struct looker *looker = userdata;
        su_auto_free char *children = NULL;

        (void)total;
        if (done == 0 || looker->status)
                return false;
        assert_true(su_file_read(AT_FDCWD, looker->path, 100, &children, NULL, NULL) >= 0);
        (void)snprintf(looker->path, sizeof looker->path, "/proc/%d/status", atoi(children));
        assert_true(su_file_read(AT_FDCWD, looker->path, 65536, &looker->status, NULL, NULL) >= 0);
        return true;
}

static void test_what_the_kernel_says_of_it(void **state)
{
        static const char *const none[] = {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"};
        struct su_job job = job_of(progress_by_tens, NULL);
        struct looker looker = {.status = NULL};
        struct su_error err = {0};

        (void)state;
        (void)snprintf(looker.path, sizeof looker.path, "/proc/self/task/%d/children", getpid());
        job.progress = look_at_it;
        job.listener = &looker;
        assert_fails(su_job_run(&job, &err), err, CANCELLED);
        assert_non_null(looker.status);
        for (size_t i = 0; i < SU_ELEMENTS(none); i++)
                assert_line(looker.status, none[i], "0000000000000000\n");
        assert_line(looker.status, "NoNewPrivs:", "1\n");
        assert_line(looker.status, "Seccomp:", "2\n");
        if (geteuid() == 0) {
                assert_line(looker.status, "CapBnd:", "0000000000000000\n");
                assert_line(looker.status, "Groups:", "\n");
                assert_null(strstr(looker.status, "Uid:\t0"));
                assert_null(strstr(looker.status, "Gid:\t0"));
        } else {
                print_message("NOT TESTED: another user, for want of root\n");
        }
        free(looker.status);
}

/* Ended together with who started it, by the kernel. */
static void test_it_dies_with_its_parent(void **state)
{
        int ends[2];
        char byte;
        pid_t parent;

        (void)state;
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        parent = fork();
        if (parent == 0) {
                struct su_job job = job_of(never_end, NULL);

                (void)close(ends[0]);
                job.worker.fds = &ends[1];
                job.worker.n_fds = 1;
                job.worker.cpu_max_s = job.time_max_s = 60;
                _exit(su_job_run(&job, NULL) < 0);
        }
        (void)close(ends[1]);
        (void)usleep(300000);
        assert_int_equal(kill(parent, SIGKILL), 0);
        assert_int_equal(waitpid(parent, NULL, 0), parent);
        /* The end of the pipe: nobody has it open any more. */
        assert_int_equal(read(ends[0], &byte, 1), 0);
        (void)close(ends[0]);
}

/* What a worker that talks nonsense can say. */
static void test_messages_are_not_believed(void **state)
{
        su_auto_inbox struct su_inbox *inbox = NULL;
        const uint32_t large[] = {SU_MESSAGE_DONE, SU_MESSAGE_MAX + 1};
        const uint64_t backwards[] = {2, 1};
        struct su_message message = {SU_MESSAGE_PROGRESS, sizeof backwards,
                                     (const uint8_t *)backwards};
        const struct {
                uint32_t code, errnum;
                char text[8];
        } odd = {77777, 99999, "a\033b"};
        struct su_error err = {0};
        uint64_t done, total;

        (void)state;
        assert_fails_with(su_message_get_progress(&message, &done, &total, &err), err, FORMAT,
                          "progress");
        message = (struct su_message){SU_MESSAGE_ERROR, 4, (const uint8_t *)&odd};
        assert_fails_with(su_message_get_error(&message, &err), err, FORMAT, "error");
        message.size = 8 + 3;
        assert_fails_with(su_message_get_error(&message, &err), err, SYSTEM, "a?b");
        assert_ok(su_inbox_new(&inbox, &err), err);
        assert_int_equal(su_inbox_put(inbox, large, sizeof large), sizeof large);
        assert_fails_with(su_inbox_take(inbox, &message, &err), err, FORMAT, "message");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_it_works_on_what_it_is_given),
                cmocka_unit_test(test_a_failure_comes_back),
                cmocka_unit_test(test_progress_and_cancellation),
                cmocka_unit_test(test_what_a_thief_may_not),
                cmocka_unit_test(test_what_a_fetcher_may_not),
                cmocka_unit_test(test_no_other_descriptor),
                cmocka_unit_test_setup_teardown(test_a_file_grows_no_larger, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test(test_memory_is_limited),
                cmocka_unit_test(test_time_is_limited),
                cmocka_unit_test(test_a_silent_one_is_cancelled),
                cmocka_unit_test(test_a_crash_has_its_own_error),
                cmocka_unit_test(test_what_the_kernel_says_of_it),
                cmocka_unit_test(test_it_dies_with_its_parent),
                cmocka_unit_test(test_messages_are_not_believed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
