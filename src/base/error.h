/* What can go wrong, said once.
 *
 * Every fallible function returns 0 or a negative errno and takes `struct su_error *err` last. On
 * failure it fills in a code, the errno, and a message that names the thing that failed and why.
 * `err` may be NULL when the caller does not care.
 *
 * The table below is the single list of error codes. Each maps one to one to a process exit status
 * (documented in suture(8); part of the interface, never renumbered) and to a name that stands in
 * `--json` output and, as org.suture1.Error.NAME, on D-Bus.
 */
#pragma once

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*         code           exit  errno            name */
#define SU_ERROR_TABLE(X)                                                                          \
        X(SYSTEM, 1, EIO, "System")                                                                \
        X(USAGE, 2, EINVAL, "Usage")                                                               \
        X(PERMISSION, 20, EPERM, "Permission")                                                     \
        X(BUSY, 21, EBUSY, "Busy")                                                                 \
        X(CONFIG, 22, EINVAL, "Config")                                                            \
        X(UNREACHABLE, 23, EHOSTUNREACH, "Unreachable")                                            \
        X(NOT_FOUND, 24, ENOENT, "NotFound")                                                       \
        X(TRUNCATED, 25, ENODATA, "Truncated")                                                     \
        X(SIGNATURE, 26, EBADMSG, "Signature")                                                     \
        X(EXPIRED, 27, ESTALE, "Expired")                                                          \
        X(ROLLBACK, 28, ESTALE, "Rollback")                                                        \
        X(FORMAT, 29, EBADMSG, "Format")                                                           \
        X(DIGEST, 30, EBADMSG, "Digest")                                                           \
        X(BASELINE, 31, ENOEXEC, "Baseline")                                                       \
        X(ARCHITECTURE, 32, ENOEXEC, "Architecture")                                               \
        X(SEAL, 33, EBADMSG, "Seal")                                                               \
        X(SPACE, 34, ENOSPC, "Space")                                                              \
        X(NOT_OFFERED, 35, ENOENT, "NotOffered")                                                   \
        X(NOT_INSTALLED, 36, ENOENT, "NotInstalled")                                               \
        X(DELTA, 37, EBADMSG, "Delta")                                                             \
        X(UNSUPPORTED, 38, EOPNOTSUPP, "Unsupported")                                              \
        X(RESTART, 39, EIO, "Restart")                                                             \
        X(CONFLICT, 40, EEXIST, "Conflict")                                                        \
        X(TOO_LARGE, 41, EFBIG, "TooLarge")                                                        \
        X(CANCELLED, 42, ECANCELED, "Cancelled")                                                   \
        X(NOT_LOGGED, 43, EBADMSG, "NotLogged")                                                    \
        X(QUARANTINED, 44, EPERM, "Quarantined")                                                   \
        X(WITHHELD, 45, EPERM, "Withheld")                                                         \
        X(TAKEN_BACK, 46, EIO, "TakenBack")                                                        \
        X(DISABLED, 47, EPERM, "Disabled")                                                         \
        X(MANAGED, 48, EPERM, "Managed")                                                           \
        X(WORKER, 49, EIO, "Worker")

enum su_error_code {
        SU_OK = 0,
#define SU_ERROR_ENUM(code, exit, errnum, name) SU_ERROR_##code,
        SU_ERROR_TABLE(SU_ERROR_ENUM)
#undef SU_ERROR_ENUM
};

#define SU_ERROR_MESSAGE_MAX 1024

struct su_error {
        enum su_error_code code;
        int errnum; /* positive errno */
        char message[SU_ERROR_MESSAGE_MAX];
};

/* Fail with a code of our own. Returns the code's negative errno, so callers write
 * `return su_fail(err, ...)`. */
#define su_fail(err, code, ...) su_negative(su_error_set((err), (code), __VA_ARGS__))

/* Fail because the system said `errnum` (positive or negative). The code is derived from it: a full
 * disk becomes SPACE, a refusal PERMISSION, everything else SYSTEM; strerror() is appended. */
#define su_fail_errno(err, errnum, ...)                                                            \
        su_negative(su_error_set_errno((err), (errnum), __VA_ARGS__))

#define su_fail_oom(err) su_fail_errno((err), ENOMEM, "out of memory")

/* Put "context: " before the message of an error that is on its way up. Returns what is to be
 * returned, so callers write `return su_fail_prefix(err, r, "manifest '%s'", name)`. */
#define su_fail_prefix(err, r, ...) su_negative(su_error_prefix((err), (r), __VA_ARGS__))

int su_error_set(struct su_error *err, enum su_error_code code, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
int su_error_set_errno(struct su_error *err, int errnum, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
int su_error_prefix(struct su_error *err, int r, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Fail with an error that a worker has told, which may be anything: a code or an errno that there
 * is not becomes SYSTEM or the code's own. */
int su_error_take_over(struct su_error *err, unsigned code, unsigned errnum, const char *message);

/* Compilers and analysers see only one file at a time: tell them that a failure is negative, and
 * they know which outputs were written. */
static inline int su_negative(int r)
{
        if (r >= 0)
                __builtin_unreachable();
        return r;
}

/* For want of memory or descriptors: that says nothing about what was to be looked at. */
static inline bool su_is_want(int r)
{
        return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

int su_error_exit_status(enum su_error_code code);
const char *su_error_name(enum su_error_code code);
/* SYSTEM for a name that is not in the table. */
enum su_error_code su_error_from_name(const char *name);
