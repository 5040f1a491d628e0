/* public/advisories/: written anew, as far as it is not so already. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/own.h"
#include "publish/store/workspace.h"

struct su_advisory_change {
        char *path; /* below public/advisories/ */
        bool is_removed;
};

struct su_advisory_changes {
        struct su_advisory_change *each;
        size_t n;
        size_t n_unchanged;
};

/* Write what the published manifests and channels say, and remove what they say no more. Whatever
 * fails, each file that is there is whole. */
int su_advisories_write(const struct su_workspace *workspace, struct su_advisory_changes *ret,
                        struct su_error *err);
void su_advisory_changes_done(struct su_advisory_changes *changes);
#define su_auto_advisory_changes su_auto(su_advisory_changes_done)
