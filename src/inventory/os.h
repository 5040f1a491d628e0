/* Which OS build a tree holds: os-release(5) and the architecture of its programs. */
#pragma once

#include "base/error.h"
#include "base/own.h"

struct su_os {
        char *id;            /* ID=, "linux" when absent */
        char *version_id;    /* VERSION_ID=, may be NULL (rolling releases) */
        char *image_version; /* IMAGE_VERSION=, else BUILD_ID=, else NULL */
        char *name;          /* PRETTY_NAME=, else ID */
        char *architecture;  /* "x86-64" or "arm64": systemd's names */
        char *baseline;      /* ID-VERSION_ID[-IMAGE_VERSION]-ARCHITECTURE */
        char *version;       /* what people call it: IMAGE_VERSION, else VERSION_ID, else "" */
};

/* Read the tree whose root directory is `root_fd`. */
int su_os_read(int root_fd, struct su_os *ret, struct su_error *err);
void su_os_done(struct su_os *os);

/* The value of `name` in the text of an os-release file, unquoted, in fresh memory; NULL when it is
 * not there. The last assignment counts, as in a shell. */
int su_os_release_value(const char *text, const char *name, char **ret, struct su_error *err);

#define su_auto_os su_auto(su_os_done)
