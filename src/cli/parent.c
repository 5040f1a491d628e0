#include "cli/parent.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

int su_parent_open(const char *text, FILE **ret, struct su_error *err)
{
        char *end;
        long fd = strtol(text, &end, 10);

        if (end == text || *end || fd <= STDERR_FILENO || fd > INT32_MAX ||
            fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
                return su_fail(err, SU_ERROR_USAGE, "--parent-fd=%s is no open descriptor", text);
        /* A parent that is gone is no reason to stop. */
        (void)signal(SIGPIPE, SIG_IGN);
        *ret = fdopen((int)fd, "w");
        return *ret ? 0 : su_fail_errno(err, errno, "--parent-fd=%s", text);
}

/* Takes over `document`. */
static int tell(FILE *parent, json_t *document, struct su_error *err)
{
        su_auto_json json_t *owned = document;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        if (!owned)
                return su_fail_oom(err);
        r = su_json_compact(owned, &text, &size, err);
        if (r < 0)
                return r;
        text[size] = '\n'; /* in place of the NUL */
        (void)fwrite(text, 1, size + 1, parent);
        (void)fflush(parent);
        return 0;
}

void su_parent_tell_progress(FILE *parent, const char *step, uint64_t done, uint64_t total)
{
        if (parent)
                (void)tell(parent,
                           json_pack("{s:{s:s, s:I, s:I}}", "progress", "step", step, "done",
                                     (json_int_t)done, "total", (json_int_t)total),
                           NULL);
}

void su_parent_tell_error(FILE *parent, const struct su_error *error)
{
        if (parent)
                (void)tell(parent, su_output_error(error), NULL);
}

int su_parent_tell_result(FILE *parent, json_t *result, struct su_error *err)
{
        return parent ? tell(parent, json_pack("{s:O}", "result", result), err) : 0;
}
