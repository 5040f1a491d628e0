#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct error_entry {
        int exit_status;
        int errnum;
        const char *name;
};

static const struct error_entry error_table[] = {[SU_OK] = {0, 0, "Ok"},
#define SU_ERROR_ENTRY(code, exit, errnum, name) [SU_ERROR_##code] = {exit, errnum, name},
                                                 SU_ERROR_TABLE(SU_ERROR_ENTRY)
#undef SU_ERROR_ENTRY
};

int su_fail(struct su_error *err, enum su_error_code code, const char *format, ...)
{
        if (err) {
                va_list ap;

                err->code = code;
                err->errnum = error_table[code].errnum;
                va_start(ap, format);
                (void)vsnprintf(err->message, sizeof err->message, format, ap);
                va_end(ap);
        }
        return -error_table[code].errnum;
}

static enum su_error_code code_from_errno(int errnum)
{
        switch (errnum) {
        case ENOSPC:
        case EDQUOT:
                return SU_ERROR_SPACE;
        case EPERM:
        case EACCES:
        case EROFS:
                return SU_ERROR_PERMISSION;
        default:
                return SU_ERROR_SYSTEM;
        }
}

int su_fail_errno(struct su_error *err, int errnum, const char *format, ...)
{
        errnum = abs(errnum);
        if (errnum == 0)
                errnum = EIO; /* a caller that lost its errno must still fail */
        if (err) {
                char what[SU_ERROR_MESSAGE_MAX - 128];
                va_list ap;

                va_start(ap, format);
                (void)vsnprintf(what, sizeof what, format, ap);
                va_end(ap);
                err->code = code_from_errno(errnum);
                err->errnum = errnum;
                (void)snprintf(err->message, sizeof err->message, "%s: %s", what, strerror(errnum));
        }
        return -errnum;
}

int su_fail_oom(struct su_error *err)
{
        return su_fail_errno(err, ENOMEM, "out of memory");
}

int su_fail_prefix(struct su_error *err, int r, const char *format, ...)
{
        char context[SU_ERROR_MESSAGE_MAX];
        size_t size;
        va_list ap;
        int n;

        if (!err)
                return r;
        va_start(ap, format);
        n = vsnprintf(context, sizeof context, format, ap);
        va_end(ap);
        if (n < 0 || (size_t)n + sizeof ": " >= sizeof err->message)
                return r; /* the message itself matters more than its context */
        size = (size_t)n;
        memcpy(context + size, ": ", 2);
        size += 2;
        memmove(err->message + size, err->message, sizeof err->message - size);
        memcpy(err->message, context, size);
        err->message[sizeof err->message - 1] = '\0';
        return r;
}

int su_error_exit_status(enum su_error_code code)
{
        return error_table[code].exit_status;
}

const char *su_error_name(enum su_error_code code)
{
        return error_table[code].name;
}
