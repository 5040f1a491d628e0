/* Walk what an OS tree has below /usr, in the order of the paths. */
#pragma once

#include <sys/stat.h>

#include "base/error.h"

struct su_tree_entry {
        const char *path; /* absolute in the tree: "/usr/lib/x" */
        struct stat st;   /* of the entry itself, links not followed */
        int dir_fd;       /* the directory that holds it */
        const char *name; /* in that directory */
};

typedef int (*su_tree_visit)(void *userdata, const struct su_tree_entry *entry,
                             struct su_error *err);

enum su_tree_care {
        SU_TREE_ALL,      /* what cannot be read is an error: the answer must be whole */
        SU_TREE_READABLE, /* it is left out, as is what lies very deep: in trees of others */
};

/* Return this from a visit to a directory to stay out of it. */
#define SU_TREE_SKIP 1

/* Visit everything below `top` ("usr", "lib") of the tree at `root_fd` as if it lay below
 * `shown_as`
 * ("/usr", "/usr/lib"). What goes away meanwhile is left out. A missing `top` or one that is a
 * symbolic link is not entered. */
int su_tree_walk(int root_fd, const char *top, const char *shown_as, enum su_tree_care care,
                 su_tree_visit visit, void *userdata, struct su_error *err);
