/* What an improvement does not reach: copies of the code that it fixes in places where it does not
 * lie.
 *
 * Looked for by the names of the files that it replaces, by their build-ids, and by the marks that
 * the publisher gave for code that is linked into other programs. It reads much: on demand only.
 */
#pragma once

#include "base/error.h"
#include "base/own.h"
#include "device/engine.h"
#include "improvement/manifest.h"

enum su_gap_kind {
        SU_GAP_FLATPAK,   /* a runtime or an application of Flatpak */
        SU_GAP_CONTAINER, /* an image or a tree of a container, a virtual environment */
        SU_GAP_STATIC,    /* a program that has the code in itself */
        SU_GAP_INITRD,    /* used until the real root is mounted */
        SU_GAP_UNKNOWN,   /* it could not be told */
};

const char *su_gap_kind_name(enum su_gap_kind kind);

struct su_gap {
        enum su_gap_kind kind;
        char *path;
        char *component; /* NULL: any */
        bool is_old;     /* known to be a build that the improvement replaces */
        char *what;      /* for people */
};

struct su_coverage {
        struct su_gap *gaps;
        size_t n_gaps;
        size_t n_files; /* looked into */
};

int su_coverage_find(const struct su_engine *engine, const struct su_manifest *manifest,
                     struct su_coverage *ret, struct su_error *err);
void su_coverage_done(struct su_coverage *coverage);
#define su_auto_coverage su_auto(su_coverage_done)
