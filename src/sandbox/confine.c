#include "sandbox/confine.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/own.h"
#include "sandbox/filter.h"
#include "sandbox/paths.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
/* Its shadow takes all of the address space, and what it finds is said to standard error. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

/* What is written there by mistake goes nowhere, least of all into a file that got the number. */
static int close_streams(struct su_error *err)
{
        su_auto_close int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        const int last = IS_SANITIZED ? STDOUT_FILENO : STDERR_FILENO;

        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open /dev/null");
        for (int stream = STDIN_FILENO; stream <= last; stream++)
                if (dup2(fd, stream) < 0)
                        return su_fail_errno(err, errno, "cannot close the standard streams");
        return 0;
}

static int compare(const void *a, const void *b)
{
        const int *x = a, *y = b;

        return *x < *y ? -1 : *x > *y;
}

/* Close all between those that are kept, which are in order. */
static int close_between(const int *kept, size_t n_kept)
{
        unsigned from = STDERR_FILENO + 1;

        for (size_t i = 0; i < n_kept; i++) {
                const unsigned fd = (unsigned)kept[i];

                if (fd > from && syscall(SYS_close_range, from, fd - 1, 0) < 0)
                        return -errno;
                if (fd >= from)
                        from = fd + 1;
        }
        return syscall(SYS_close_range, from, UINT_MAX, 0) < 0 ? -errno : 0;
}

static int close_others(const struct su_worker_options *options, int channel_fd,
                        struct su_error *err)
{
        su_auto_free int *kept = calloc(options->n_fds + 1, sizeof *kept);
        int r;

        if (!kept)
                return su_fail_oom(err);
        for (size_t i = 0; i < options->n_fds; i++)
                kept[i] = options->fds[i];
        kept[options->n_fds] = channel_fd;
        qsort(kept, options->n_fds + 1, sizeof *kept, compare);
        if (kept[0] <= STDERR_FILENO)
                return su_fail(err, SU_ERROR_SYSTEM,
                               "a standard stream was closed when the program was started");
        r = close_between(kept, options->n_fds + 1);
        return r < 0 ? su_fail_errno(err, r, "cannot close what a worker does not need")
                     : close_streams(err);
}

/* One that is lower already stays: it may not be ours to raise. */
static int set_limit(__rlimit_resource_t which, uint64_t soft, uint64_t hard)
{
        struct rlimit limit;

        if (getrlimit(which, &limit) < 0)
                return -1;
        if (limit.rlim_max > hard)
                limit.rlim_max = hard;
        limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
        return setrlimit(which, &limit);
}

static int set_limits(const struct su_worker_options *options, struct su_error *err)
{
        /* At the first of the two it gets the signal that says why, a moment later the other. */
        int r = set_limit(RLIMIT_CPU, options->cpu_max_s, options->cpu_max_s + 5);

        if (r >= 0)
                r = set_limit(RLIMIT_CORE, 0, 0);
        if (r >= 0)
                r = set_limit(RLIMIT_FSIZE, options->file_max, options->file_max);
        if (r >= 0 && !IS_SANITIZED)
                r = set_limit(RLIMIT_AS, options->memory_max, options->memory_max);
        return r < 0 ? su_fail_errno(err, errno, "cannot set the limits of a worker") : 0;
}

/* None is to be had again, not even by a program that has some. */
static int drop_bounding_set(struct su_error *err)
{
        for (unsigned long capability = 0;; capability++)
                if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
                        return errno == EINVAL && capability > 0
                                       ? 0
                                       : su_fail_errno(err, errno, "cannot drop capability %lu",
                                                       capability);
}

static int change_user(const struct su_account *account, struct su_error *err)
{
        int r;

        r = drop_bounding_set(err);
        if (r < 0)
                return r;
        if (setgroups(0, NULL) < 0 || setresgid(account->gid, account->gid, account->gid) < 0 ||
            setresuid(account->uid, account->uid, account->uid) < 0)
                return su_fail_errno(err, errno, "cannot become user %u of a worker",
                                     (unsigned)account->uid);
        return 0;
}

static int drop_capabilities(struct su_error *err)
{
        struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
        const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

        if (syscall(SYS_capset, &head, none) < 0)
                return su_fail_errno(err, errno, "cannot drop the capabilities");
        (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return su_fail_errno(err, errno, "cannot rule out new privileges");
        /* Nobody of the same user looks into it. */
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return su_fail_errno(err, errno, "cannot hide the memory of a worker");
        return 0;
}

/* A change of the user would undo it. */
static int die_with(pid_t parent, struct su_error *err)
{
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return su_fail_errno(err, errno, "cannot tie a worker to who started it");
        return getppid() == parent
                       ? 0
                       : su_fail(err, SU_ERROR_CANCELLED, "who started the worker is gone");
}

int su_confine(const struct su_worker_options *options, const struct su_account *account,
               int channel_fd, pid_t parent, struct su_error *err)
{
        int r;

        r = close_others(options, channel_fd, err);
        if (r >= 0)
                r = set_limits(options, err);
        if (r >= 0 && geteuid() == 0)
                r = change_user(account, err);
        if (r >= 0)
                r = drop_capabilities(err);
        if (r >= 0)
                r = die_with(parent, err);
        if (r >= 0)
                r = su_paths_confine(options->kind, err);
        return r < 0 ? r : su_filter_load(options->kind, err);
}
