/* How the components of a level stand to the base of this device: whether they are for exactly
 * these files, or the package manager has put others there since. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "improvement/manifest.h"

/* Open a file of the base, whatever lies over it; `base_fd` as from su_layers_open_base(). A link
 * at the end is not followed: -ELOOP. */
int su_base_open_file(int base_fd, const char *path, int *ret_fd, struct su_error *err);

struct su_fit_report {
        enum su_fit fit;
        bool by_package;     /* the package manager says that it has another version */
        struct su_error why; /* unless it applies: names the file that is not the expected one */
};

/* APPLIES when every file that the component replaces is the one that its manifest expects, and
 * what it adds is not there yet. `root` is the OS tree, `base_fd` its base. */
int su_fit_find(const char *root, int base_fd, const struct su_component *component,
                struct su_fit_report *ret, struct su_error *err);

const char *su_fit_name(enum su_fit fit);
bool su_fit_parse(const char *name, enum su_fit *ret);
