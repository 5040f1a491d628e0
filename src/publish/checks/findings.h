/* What the checks found: each names its check, the file, and why that is not to be signed. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/own.h"
#include "publish/checks/kinds.h"

struct su_finding {
        enum su_check check;
        char *path;
        char *text;         /* a sentence */
        const char *reason; /* why it is right all the same; NULL: nobody said so */
};

struct su_findings {
        struct su_finding *list;
        size_t n;
};

int su_findings_add(struct su_findings *findings, enum su_check check, const char *path,
                    struct su_error *err, const char *format, ...)
        __attribute__((format(printf, 5, 6)));
void su_findings_done(struct su_findings *findings);
#define su_auto_findings su_auto(su_findings_done)
