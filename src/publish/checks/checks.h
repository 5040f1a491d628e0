/* What is looked at before a level can be signed: nothing goes back, nothing breaks that was right,
 * nothing gets into a place where it has no business. */
#pragma once

#include "base/error.h"
#include "improvement/baseline.h"
#include "improvement/manifest.h"
#include "publish/checks/findings.h"

struct su_check_subject {
        const struct su_baseline *baseline;
        const struct su_component
                *component; /* its files are listed, and its image's size is known */
        int tree_fd;        /* the baseline's files */
        int fixed_fd;       /* the fixed tree, with what did not change */
        int staging_fd;     /* the image's root */
};

/* All checks, whatever each finds. */
int su_checks_run(const struct su_check_subject *subject, struct su_findings *findings,
                  struct su_error *err);
