/* Debian's indexes and packages by apt's own tools, which fetch and verify them, with a state of
 * our own: nothing of this machine's packages is touched. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/own.h"

struct su_apt {
        char *directory; /* absolute: configuration, lists and packages */
        char *config;    /* path of apt's configuration */
};

/* `sources` is a file in the format of sources.list(5), or NULL: what the `tree` has in /etc/apt.
 * `architecture` is Debian's name. */
int su_apt_open(const char *directory, const char *tree, const char *sources,
                const char *architecture, struct su_apt *ret, struct su_error *err);
void su_apt_done(struct su_apt *apt);
#define su_auto_apt su_auto(su_apt_done)

/* Fetch the indexes; what no key of the sources signed is an error. */
int su_apt_update(const struct su_apt *apt, struct su_error *err);

/* The text of all Packages indexes of the suite; NOT_FOUND when the sources have no such suite. */
int su_apt_packages(const struct su_apt *apt, const char *suite, char **ret, size_t *ret_size,
                    struct su_error *err);

/* Fetch `name` = `version` (verified); the path is below the directory. One that is there already
 * is taken. */
int su_apt_fetch(const struct su_apt *apt, const char *name, const char *version,
                 const char *architecture, char **ret_path, struct su_error *err);
