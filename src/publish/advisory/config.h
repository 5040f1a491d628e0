/* advisories.conf of the workspace: who publishes, and where people find it. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "publish/store/workspace.h"

#define SU_ADVISORY_CONFIG "advisories.conf"

/* The packages that a baseline's components are, in the words of the OSV schema: "Debian:12". */
struct su_advisory_ecosystem {
        char *baseline;
        char *name;
};

struct su_advisory_config {
        char *name;    /* of the publisher */
        char *url;     /* under which public/ is served, without a slash at the end */
        char *contact; /* NULL: not said */
        char *prefix;  /* of the documents' ids */
        struct su_advisory_ecosystem *ecosystems;
        size_t n_ecosystems;
};

/* Whether there is one: without it nothing is written by itself. */
bool su_advisory_is_configured(const struct su_workspace *workspace);
/* CONFIG, naming file and line, or what is missing. */
int su_advisory_config_read(const struct su_workspace *workspace, struct su_advisory_config *ret,
                            struct su_error *err);
int su_advisory_config_parse(const char *file, char *text, struct su_advisory_config *ret,
                             struct su_error *err);
void su_advisory_config_done(struct su_advisory_config *config);
#define su_auto_advisory_config su_auto(su_advisory_config_done)

/* Of the baseline's packages; one of our own, "Suture:BASELINE", where none was said. */
int su_advisory_ecosystem(const struct su_advisory_config *config, const char *baseline, char **ret,
                          struct su_error *err);
