/* What an ELF file offers to others, and what it wants of them: its dynamic symbols and their
 * versions. libelf reads it. Source: System V gABI, chapters 4 and 5; Linux Standard Base 5.0,
 * "Symbol Versioning". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

struct su_dynamic_export {
        const char *name;
        const char *version; /* "": none */
        uint64_t size;
        bool is_weak;
        bool is_data;
};

struct su_dynamic_need {
        const char *library; /* its SONAME */
        const char *version; /* "": any */
};

/* The texts point into the file, which stays open. All zero for what is no ELF file. */
struct su_dynamic {
        int fd;
        void *handle;
        const char *soname;                /* may be NULL */
        const char *search;                /* DT_RUNPATH, or DT_RPATH; may be NULL */
        struct su_dynamic_export *exports; /* by name, then version */
        size_t n_exports;
        struct su_dynamic_need *needs;
        size_t n_needs;
        const char **imports; /* names that it wants of whatever has them, by name */
        size_t n_imports;
        const char **versions; /* that it defines, its own name apart */
        size_t n_versions;
        bool has_debug_info;
};
#define SU_DYNAMIC_EMPTY                                                                           \
        {                                                                                          \
                .fd = -EBADF                                                                       \
        }

/* Takes over `fd`. Damaged files count as such without symbols: only what memory or reading denies
 * is an error. */
int su_dynamic_read(int *fd, const char *name, struct su_dynamic *ret, struct su_error *err);
void su_dynamic_done(struct su_dynamic *elf);
#define su_auto_dynamic su_auto(su_dynamic_done)

bool su_dynamic_defines(const struct su_dynamic *elf, const char *version);
bool su_dynamic_wants(const struct su_dynamic *elf, const struct su_dynamic_need *need);
/* Whether it takes `name` from elsewhere: as what it does not define, or as a variable of which it
 * has a copy under the same name. */
bool su_dynamic_takes(const struct su_dynamic *elf, const char *name);
/* What versions mark as nobody's business but the library's own. */
bool su_dynamic_is_private(const char *version);
