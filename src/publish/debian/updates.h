/* What a suite has newer than a tree's packages, by source package: one source is fixed as one. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/own.h"

struct su_update_package {
        char *name;
        char *architecture;
        char *old_version; /* of the tree */
        char *new_version; /* of the suite */
};

struct su_update {
        char *source;
        struct su_update_package *packages; /* all that the tree has of it, and the suite newer */
        size_t n_packages;
};

struct su_updates {
        struct su_update *list; /* by source */
        size_t n;
};

/* `index` is the text of Packages files. */
int su_updates_find(const char *tree, const char *index, size_t size, struct su_updates *ret,
                    struct su_error *err);
void su_updates_done(struct su_updates *updates);
#define su_auto_updates su_auto(su_updates_done)

/* What dpkg calls the architecture of the tree's packages. */
int su_updates_architecture(const char *tree, char **ret, struct su_error *err);
