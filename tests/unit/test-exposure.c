#include "support.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "exposure/exposure.h"

/* What a child process is to be like. */
struct wish {
        int fd;         /* what to map */
        int protection; /* and how */
        const char *root;
        const char *name;
};

_Noreturn static void be_child(const struct wish *wish, int ready_fd)
{
        struct stat st;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (wish->name)
                (void)prctl(PR_SET_NAME, wish->name);
        if (fstat(wish->fd, &st) < 0 || mmap(NULL, (size_t)st.st_size, wish->protection,
                                             MAP_PRIVATE, wish->fd, 0) == MAP_FAILED)
                _exit(1);
        if (wish->root && chroot(wish->root) < 0)
                _exit(1);
        if (write(ready_fd, "x", 1) != 1)
                _exit(1);
        for (;;)
                (void)pause();
}

/* The child of the test that is running; also a failed test must not leave it to the next. */
static pid_t child_pid;

static pid_t child_start(const struct wish *wish)
{
        int ready[2];
        char byte;

        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        child_pid = fork();
        assert_true(child_pid >= 0);
        if (child_pid == 0)
                be_child(wish, ready[1]);
        (void)close(ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        (void)close(ready[0]);
        return child_pid;
}

static int teardown(void **state)
{
        if (child_pid > 0) {
                (void)kill(child_pid, SIGKILL);
                (void)waitpid(child_pid, NULL, 0);
                child_pid = 0;
        }
        return scratch_teardown(state);
}

/* A copy of the library in the scratch directory, and the set that names its build. */
static int open_library(struct scratch *scratch, struct su_old_code_set *set)
{
        su_auto_close int built_fd = open(EXPOSED_LIBRARY, O_RDONLY | O_CLOEXEC);
        int fd = openat(scratch->fd, "lib.so", O_RDWR | O_CREAT | O_CLOEXEC, 0755);
        struct su_build_id id;
        struct su_error err = {0};

        assert_true(built_fd >= 0 && fd >= 0);
        assert_ok(su_copy_all(built_fd, fd, "lib.so", &err), err);
        assert_ok(su_build_id_read(fd, "lib.so", &id, NULL, &err), err);
        assert_int_equal(id.size, 20);
        assert_ok(su_old_code_add(set,
                                  &(struct su_old_code){id, "component", "/usr/lib/lib.so", NULL},
                                  &err),
                  err);
        su_old_code_sort(set);
        return fd;
}

static const struct su_exposed_process *find(const struct su_exposure *exposure, pid_t pid)
{
        for (size_t i = 0; i < exposure->n_processes; i++)
                if (exposure->processes[i].pid == pid)
                        return &exposure->processes[i];
        return NULL;
}

/* Both ways to look must give the same answer about `pid`; `check` may be NULL: not exposed. */
static void scan_both_ways(const struct su_old_code_set *set, pid_t pid,
                           void (*check)(const struct su_exposed_process *process))
{
        for (int never_query = 0; never_query <= 1; never_query++) {
                const struct su_scan_options options = {.never_query = never_query};
                su_auto_exposure struct su_exposure exposure = {0};
                const struct su_exposed_process *process;
                struct su_error err = {0};

                assert_ok(su_exposure_scan("/", set, &options, &exposure, &err), err);
                assert_int_equal(exposure.n_scanned, 1);
                process = find(&exposure, pid);
                if (!check) {
                        assert_null(process);
                        continue;
                }
                assert_non_null(process);
                assert_int_equal(process->n_codes, 1);
                assert_ptr_equal(process->codes[0], &set->codes[0]);
                check(process);
        }
}

static void is_exposed(const struct su_exposed_process *process)
{
        assert_int_equal(process->place, SU_PLACE_HERE);
        assert_true(su_exposed_is_reached(process));
        assert_int_equal(process->leader, process->pid);
        assert_int_equal(process->uid, 0);
        assert_string_equal(process->command, "a?child");
}

static void is_deleted(const struct su_exposed_process *process)
{
        is_exposed(process);
        assert_true(process->deleted);
        assert_contains(su_exposed_why(process), "deleted");
}

static void is_elsewhere(const struct su_exposed_process *process)
{
        assert_false(su_exposed_is_reached(process));
}

static void test_mapped_code(void **state)
{
        su_auto_old_code struct su_old_code_set set = {0};
        su_auto_close int fd = -EBADF;
        pid_t pid;

        skip_unless_root();
        fd = open_library(*state, &set);
        pid = child_start(&(struct wish){fd, PROT_READ | PROT_EXEC, NULL, "a\033child"});
        scan_both_ways(&set, pid, is_exposed);
}

/* As after an update without Suture: the path is gone, or is another file. */
static void test_a_deleted_file(void **state)
{
        struct scratch *scratch = *state;
        su_auto_old_code struct su_old_code_set set = {0};
        su_auto_close int fd = -EBADF;
        pid_t pid;

        skip_unless_root();
        fd = open_library(scratch, &set);
        pid = child_start(&(struct wish){fd, PROT_READ | PROT_EXEC, NULL, "a\033child"});
        write_text(scratch->fd, "lib.so", "another file");
        scan_both_ways(&set, pid, is_exposed);
        assert_int_equal(unlinkat(scratch->fd, "lib.so", 0), 0);
        scan_both_ways(&set, pid, is_deleted);
}

static void test_mapped_but_not_as_code(void **state)
{
        su_auto_old_code struct su_old_code_set set = {0};
        su_auto_close int fd = -EBADF;
        pid_t pid;

        skip_unless_root();
        fd = open_library(*state, &set);
        pid = child_start(&(struct wish){fd, PROT_READ, NULL, NULL});
        scan_both_ways(&set, pid, NULL);
}

static void test_another_build(void **state)
{
        su_auto_old_code struct su_old_code_set set = {0};
        su_auto_close int fd = -EBADF;
        pid_t pid;

        skip_unless_root();
        fd = open_library(*state, &set);
        set.codes[0].id.bytes[19] ^= 1;
        pid = child_start(&(struct wish){fd, PROT_READ | PROT_EXEC, NULL, NULL});
        scan_both_ways(&set, pid, NULL);
}

static void test_a_process_with_another_root(void **state)
{
        struct scratch *scratch = *state;
        su_auto_old_code struct su_old_code_set set = {0};
        su_auto_exposure struct su_exposure exposure = {0};
        su_auto_close int fd = -EBADF;
        pid_t pid;
        struct su_error err = {0};

        skip_unless_root();
        fd = open_library(scratch, &set);
        pid = child_start(&(struct wish){fd, PROT_READ | PROT_EXEC, scratch->path, NULL});
        scan_both_ways(&set, pid, is_elsewhere);
        assert_int_equal(mkdirat(scratch->fd, "usr", 0755), 0);
        /* Seen from its own tree it is at home. */
        assert_ok(su_exposure_scan(scratch->path, &set, NULL, &exposure, &err), err);
        assert_int_equal(find(&exposure, pid)->place, SU_PLACE_HERE);
        assert_int_equal(su_exposure_count(&exposure), 1);
}

static void test_an_empty_set(void **state)
{
        const struct su_old_code_set set = {0};
        su_auto_exposure struct su_exposure exposure = {0};
        struct su_error err = {0};

        (void)state;
        skip_unless_root();
        assert_ok(su_exposure_scan("/", &set, NULL, &exposure, &err), err);
        assert_int_equal(exposure.n_processes, 0);
}

static void test_no_such_tree(void **state)
{
        const struct su_old_code_set set = {0};
        struct su_exposure exposure = {.n_scanned = 77};
        struct su_error err = {0};

        (void)state;
        assert_fails(su_exposure_scan("/no/such/tree", &set, NULL, &exposure, &err), err, SYSTEM);
        assert_int_equal(exposure.n_scanned, 77);
}

static void test_sorting(void **state)
{
        su_auto_old_code struct su_old_code_set set = {0};
        static const struct su_build_id ids[] = {{2, {1, 1}}, {1, {9}}, {2, {0, 5}}};
        struct su_error err = {0};

        (void)state;
        su_old_code_sort(&set);
        for (size_t i = 0; i < SU_ELEMENTS(ids); i++)
                assert_ok(
                        su_old_code_add(&set, &(struct su_old_code){ids[i], "c", "/p", NULL}, &err),
                        err);
        su_old_code_sort(&set);
        assert_int_equal(set.codes[0].id.size, 1);
        assert_int_equal(set.codes[1].id.bytes[0], 0);
        assert_int_equal(set.codes[2].id.bytes[0], 1);
}

static int run(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_mapped_code),
                TEST(test_a_deleted_file),
                TEST(test_mapped_but_not_as_code),
                TEST(test_another_build),
                TEST(test_a_process_with_another_root),
                cmocka_unit_test(test_an_empty_set),
                cmocka_unit_test(test_no_such_tree),
                cmocka_unit_test(test_sorting),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A world of its own: only the test's children are in it, so that an answer is exact, and does not
 * hang on what else the machine does or hides. */
static int run_alone(void)
{
        pid_t pid;
        int status;

        if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
                return 1;
        pid = fork();
        if (pid == 0) {
                if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                    mount("proc", "/proc", "proc", 0, NULL) < 0)
                        exit(1);
                exit(run());
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
                return 1;
        return WEXITSTATUS(status);
}

int main(void)
{
        if (geteuid() != 0)
                return run();
        /* Without a leak check of this process, which could not start a helper any more: the
         * namespace for its children has ended. */
        _exit(run_alone());
}
