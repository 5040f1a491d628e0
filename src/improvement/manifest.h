/* The manifest: what one level of improvement for one baseline is made of. docs/FORMATS.md.
 *
 * The device gets it as a TUF target; it names everything else (images by seal, objects by
 * SHA-256).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "improvement/health.h"
#include "improvement/level.h"
#include "improvement/rule.h"
#include "inventory/facts.h"

#define SU_MANIFEST_SIZE_MAX (4 * 1024 * 1024)
#define SU_COMPONENTS_MAX 256
#define SU_COMPONENT_FILES_MAX 65536
#define SU_FIXES_MAX 4096
#define SU_PACKAGES_MAX 256
#define SU_MARKS_MAX 64
#define SU_MARK_MIN 8
#define SU_MARK_MAX 256
#define SU_NOTICE_MAX 256
#define SU_ADVISORY_URL_MAX 1024
#define SU_OVERRIDES_MAX 4096
#define SU_FINDING_MAX 512
#define SU_REASON_MAX 256
#define SU_IMPACT_MAX 1024
#define SU_CREDIT_MAX 256

/* A file below the repository's objects/, named by its SHA-256. */
struct su_object {
        uint64_t size;
        struct su_sha256 sha256;
};

/* What a component fixes. */
struct su_fix {
        char *id;       /* "CVE-2026-1234" */
        char *title;    /* may be NULL */
        char *severity; /* "low", "moderate", "high", "critical"; NULL: not rated */
        char *url;      /* of what is published about it; NULL: none is given */
        char *impact;   /* what it lets an attacker do, a sentence; NULL: not said */
        char *credit;   /* who found it; NULL: not said */
};

/* A file that the image puts in the place of the baseline's; or one of the baseline's whose place
 * another took: it stays, but what maps it runs old code. */
struct su_changed_file {
        char *path;   /* absolute, below /usr or /opt */
        bool is_new;  /* the baseline has none there: `before` is empty */
        bool is_gone; /* the fixed version has none there: `after` is empty */
        struct su_file_facts before;
        struct su_file_facts after;
};

/* A check of the publisher's that found something, and why the publisher answers for it. */
struct su_override {
        char *check; /* its name */
        char *path;  /* of the file that it is about */
        char *finding;
        char *reason;
};

struct su_image_ref {
        uint64_t size;
        struct su_sha256 seal; /* fs-verity digest */
};

/* A file of the baseline, or an earlier image of the component, which a device may have kept. */
struct su_delta_source_ref {
        char *path; /* NULL: it is `image` */
        uint64_t size;
        struct su_sha256 sha256;
        struct su_image_ref image;
};

/* One way to get the image: out of these sources, in this order. Without sources it is the whole
 * image, packed; the last resort of a device that no other delta suits. */
struct su_delta_ref {
        struct su_object object;
        struct su_delta_source_ref *sources;
        size_t n_sources;
};

/* How a component stands to the base of a device. The document does not say: a device finds out. */
enum su_fit {
        SU_FIT_APPLIES,    /* the base has the files that the improvement is for */
        SU_FIT_FIXED,      /* the base itself has the fix by now, from the package manager */
        SU_FIT_MISSING,    /* it would apply, but its image is damaged or gone */
        SU_FIT_SUPERSEDED, /* the base has another build: this improvement says nothing about it */
};

struct su_component {
        char *name;
        char *old_version; /* of the baseline, may be NULL */
        char *new_version;
        struct su_fix *fixes;
        size_t n_fixes;
        struct su_image_ref image;
        struct su_level made_for; /* what the image was made with: its own level, and the time of */
        int64_t made_at;          /* its inodes, which later levels keep; "" and 0: not said */
        struct su_delta_ref *deltas; /* at least one */
        size_t n_deltas;
        struct su_changed_file *files;
        size_t n_files;
        char *notice; /* what its running users should know until they are restarted; may be NULL */
        char **packages; /* whose files these are, when a package manager has them */
        size_t n_packages;
        char **marks; /* strings that only the old code has: by them copies are found elsewhere */
        size_t n_marks;
        enum su_fit fit;
        struct su_override *overrides;
        size_t n_overrides;
        struct su_rules hints;   /* the publisher's word on what uses it */
        struct su_health health; /* and on how to see that this works */
};

struct su_manifest {
        char *baseline;
        char *architecture;
        struct su_level level;
        int64_t created; /* seconds since 1970 */
        struct su_component *components;
        size_t n_components;
};

/* FORMAT, naming the field, when the text is no manifest. */
int su_manifest_parse(const char *text, size_t size, struct su_manifest *ret, struct su_error *err);
/* The same of the publisher's own draft, whose components may have no deltas yet. */
int su_manifest_parse_draft(const char *text, size_t size, struct su_manifest *ret,
                            struct su_error *err);
/* The same manifest gives the same bytes. */
int su_manifest_write(const struct su_manifest *manifest, char **ret_text, size_t *ret_size,
                      struct su_error *err);
void su_manifest_done(struct su_manifest *manifest);
/* Whether `text` is one of the severities above. */
bool su_severity_is_known(const char *text);
/* https, and nothing in it that a page or a shell would take for something else. */
bool su_advisory_url_is_usable(const char *text);
/* A line of at most `max` bytes of UTF-8, and not empty. */
bool su_fix_text_is_usable(const char *text, size_t max);
/* Printable ASCII, long enough to be no accident. */
bool su_mark_is_usable(const char *text);
void su_component_done(struct su_component *component);
#define su_auto_manifest su_auto(su_manifest_done)

struct su_manifest_list {
        struct su_manifest *manifests;
        size_t n_manifests;
};

void su_manifest_list_done(struct su_manifest_list *list);

/* NULL when there is none of that name. */
const struct su_component *su_manifest_component(const struct su_manifest *manifest,
                                                 const char *name);

/* Where a manifest, a channel and an object lie in a repository. */
int su_manifest_target(const char *baseline, const struct su_level *level, char **ret,
                       struct su_error *err);
int su_channel_target(const char *baseline, char **ret, struct su_error *err);
int su_object_path(const struct su_object *object, char **ret, struct su_error *err);
