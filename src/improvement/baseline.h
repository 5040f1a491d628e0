/* The baseline record: one OS build and every file of it that an improvement could replace.
 * docs/FORMATS.md. The publisher's; devices never need it whole. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/own.h"
#include "inventory/facts.h"

#define SU_BASELINE_SIZE_MAX (256 * 1024 * 1024)

struct su_baseline_file {
        char *path;
        mode_t mode; /* permission bits */
        struct su_file_facts facts;
};

struct su_baseline {
        char *name; /* "debian-12-x86-64": struct su_os's baseline */
        char *architecture;
        char *version; /* what people call it */
        char *os_name;
        struct su_baseline_file *files; /* sorted by path */
        size_t n_files;
};

int su_baseline_parse(const char *text, size_t size, struct su_baseline *ret, struct su_error *err);
int su_baseline_write(const struct su_baseline *baseline, char **ret_text, size_t *ret_size,
                      struct su_error *err);
void su_baseline_done(struct su_baseline *baseline);
#define su_auto_baseline su_auto(su_baseline_done)

void su_baseline_sort(struct su_baseline *baseline);
const struct su_baseline_file *su_baseline_find(const struct su_baseline *baseline,
                                                const char *path);
/* The index of the first file whose path is not before `prefix`: those that begin with it stand
 * from there on. */
size_t su_baseline_first(const struct su_baseline *baseline, const char *prefix);
