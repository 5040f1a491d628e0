/* Where a process lives, as seen from an OS tree: which decides whether an improvement of that tree
 * reaches it. All of it is the kernel's word: /proc/PID/root, its mount table and namespaces.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/own.h"
#include "layers/layers.h"

enum su_place {
        SU_PLACE_HERE,     /* in the tree, and sees the /usr of now */
        SU_PLACE_OLD_VIEW, /* in the tree; a mount namespace of its own keeps it at a former /usr */
        SU_PLACE_SANDBOX,  /* another root, but this tree's /usr in it, now's or a former one */
        SU_PLACE_CHROOT,   /* another tree */
        SU_PLACE_CONTAINER, /* another tree in a mount namespace of its own */
};

const char *su_place_name(enum su_place place);

/* An improvement of the tree reaches what runs in it, at the latest when it is started again. */
bool su_place_is_reached(enum su_place place);

/* What the tree looks like now. */
struct su_tree_view {
        struct stat root;
        struct stat usr;
        /* "DEVICE PATH": the base's own directories in their file systems; NULL: there is none */
        char *bases[SU_HIERARCHIES];
        ino_t mount_namespace;
};

int su_tree_view_make(const char *root, struct su_tree_view *ret, struct su_error *err);
void su_tree_view_done(struct su_tree_view *view);
#define su_auto_tree_view su_auto(su_tree_view_done)

/* `process_fd` is an open /proc/PID; `path` is the file that it is about. A process
 * that ends meanwhile is HERE. */
int su_place_find(const struct su_tree_view *view, int process_fd, const char *path,
                  enum su_place *ret, struct su_error *err);
