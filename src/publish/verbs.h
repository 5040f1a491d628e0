/* One file per verb. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct su_publish_arguments {
        const char *workspace; /* path */
        const char *baseline;  /* name; NULL: the only one */
        const char *tree;      /* the baseline's OS tree */
        const char *fixed;     /* the fixed OS tree */
        const char *component;
        const char *old_version;
        const char *new_version;
        const char **cves; /* given by hand */
        size_t n_cves;
        const char **marks; /* strings that only the old code has */
        size_t n_marks;
        const char *notice;
        const char *hints; /* path of a file with restart rules */
        int rollout;       /* percent */
        bool fast;         /* larger deltas, sooner */
        bool json;
        char **operands;
        size_t n_operands;
};

int su_verb_init(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_baseline(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_build(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_release(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_refresh(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_show(const struct su_publish_arguments *arguments, struct su_error *err);
