/* What is to be uploaded: every file of public/ by its kind, in the order in which they may be seen
 * by devices, and what the object store has of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "publish/upload/client.h"

/* In the order of their upload. Those up to SU_KIND_METADATA never change, and nobody asks for them
 * before something later names them; so all of them may be there early. */
enum su_kind {
        SU_KIND_OBJECT,     /* named by its digest */
        SU_KIND_TARGET,     /* the same */
        SU_KIND_TILE,       /* of the log */
        SU_KIND_METADATA,   /* named by its version */
        SU_KIND_PAGE,       /* advisories, for people */
        SU_KIND_CHECKPOINT, /* of the log */
        SU_KIND_ROOT,       /* named by its version, but asked for before anything names it */
        SU_KIND_TIMESTAMP,  /* with it everything is in force */
        SU_KIND_NONE,       /* nothing of ours: neither uploaded nor removed */
};

/* Of a path below public/. */
enum su_kind su_kind_of(const char *path);
bool su_kind_is_immutable(enum su_kind kind);
/* Of a path whose kind is not SU_KIND_NONE. */
const char *su_kind_content_type(const char *path);
const char *su_kind_cache_control(enum su_kind kind);
/* N.root.json's N; 0 for others. */
int64_t su_kind_root_version(const char *path);

struct su_survey_file {
        char *path; /* below public/, or below the prefix */
        uint64_t size;
        enum su_kind kind;
};

struct su_survey {
        struct su_survey_file *files; /* by path */
        size_t n;
};

/* The files of public/. */
int su_survey_here(int public_fd, struct su_survey *ret, struct su_error *err);
/* The objects of the store that are of our kinds. */
int su_survey_there(struct su_s3 *s3, const char *prefix, struct su_survey *ret,
                    struct su_error *err);
/* NULL when there is none. */
const struct su_survey_file *su_survey_find(const struct su_survey *survey, const char *path);
void su_survey_done(struct su_survey *survey);
#define su_auto_survey su_auto(su_survey_done)
