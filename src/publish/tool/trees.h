/* Trees that are named by the command line: directories, or images of an OS, which are mounted for
 * as long as the program runs, where nobody else sees them. */
#pragma once

#include "base/own.h"
#include "publish/tool/verbs.h"

struct su_trees {
        char *tree; /* where they are mounted; NULL: it was a directory */
        char *fixed;
};

/* Puts directories in the place of images in `arguments`. An image is a file or a block device with
 * a file system, or with a GPT whose partitions have the types of the Discoverable Partitions
 * Specification: root and usr of this architecture. Needs root. */
int su_trees_open(struct su_publish_arguments *arguments, struct su_trees *ret,
                  struct su_error *err);
void su_trees_done(struct su_trees *trees);
#define su_auto_trees su_auto(su_trees_done)
