#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/printable.h"

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

int su_error_set(struct su_error *err, enum su_error_code code, const char *format, ...)
{
        if (err) {
                va_list ap;

                err->code = code;
                err->errnum = error_table[code].errnum;
                va_start(ap, format);
                (void)vsnprintf(err->message, sizeof err->message, format, ap);
                va_end(ap);
                su_make_printable(err->message);
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

int su_error_set_errno(struct su_error *err, int errnum, const char *format, ...)
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
                su_make_printable(err->message);
        }
        return -errnum;
}

int su_error_prefix(struct su_error *err, int r, const char *format, ...)
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
        memmove(err->message + size + 2, err->message, sizeof err->message - size - 2);
        memcpy(err->message, context, size);
        err->message[size] = ':';
        err->message[size + 1] = ' ';
        err->message[sizeof err->message - 1] = '\0';
        su_make_printable(err->message);
        return r;
}

int su_error_take_over(struct su_error *err, unsigned code, unsigned errnum, const char *message)
{
        const unsigned errnum_max = 4095; /* of the kernel's */

        if (code == SU_OK || code >= SU_ELEMENTS(error_table))
                code = SU_ERROR_SYSTEM;
        if (errnum == 0 || errnum > errnum_max)
                errnum = (unsigned)error_table[code].errnum;
        if (err) {
                err->code = (enum su_error_code)code;
                err->errnum = (int)errnum;
                (void)snprintf(err->message, sizeof err->message, "%s", message);
                su_make_printable(err->message);
        }
        return -(int)errnum;
}

int su_error_exit_status(enum su_error_code code)
{
        return error_table[code].exit_status;
}

const char *su_error_name(enum su_error_code code)
{
        return error_table[code].name;
}

enum su_error_code su_error_from_name(const char *name)
{
        for (size_t i = 0; i < sizeof error_table / sizeof error_table[0]; i++)
                if (strcmp(error_table[i].name, name) == 0)
                        return (enum su_error_code)i;
        return SU_ERROR_SYSTEM;
}
