/* What a library exports only grows: whoever was linked with the baseline's must find all of it. */
#include <string.h>

#include "base/text.h"
#include "publish/checks/abidiff.h"
#include "publish/checks/parts.h"

#define NAMED_MAX 3

/* A few of the names, and how many there are. */
struct names {
        const char *first[NAMED_MAX];
        size_t n;
};

static void add_name(struct names *names, const char *name)
{
        if (names->n < NAMED_MAX)
                names->first[names->n] = name;
        names->n++;
}

static int report_names(const struct names *names, const char *what, const char *path,
                        struct su_findings *findings, struct su_error *err)
{
        if (names->n == 0)
                return 0;
        return su_findings_add(findings, SU_CHECK_ABI, path, err, "%zu exported %s: %s%s%s%s%s%s",
                               names->n, what, names->first[0], names->n > 1 ? ", " : "",
                               names->n > 1 ? names->first[1] : "", names->n > 2 ? ", " : "",
                               names->n > 2 ? names->first[2] : "",
                               names->n > NAMED_MAX ? ", ..." : "");
}

/* Inline functions and templates of C++ are in every library that happens to use them, and whoever
 * needs them has them, too. */
static bool is_incidental(const struct su_dynamic_export *symbol)
{
        return symbol->is_weak && su_starts_with(symbol->name, "_Z");
}

static int compare(const struct su_dynamic_export *a, const struct su_dynamic_export *b)
{
        const int order = strcmp(a->name, b->name);

        return order != 0 ? order : strcmp(a->version, b->version);
}

static int compare_exports(const struct su_dynamic *before, const struct su_dynamic *after,
                           const char *path, struct su_findings *findings, struct su_error *err)
{
        struct names resized = {0};
        struct names gone = {0};
        size_t j = 0;
        int r;

        for (size_t i = 0; i < before->n_exports; i++) {
                const struct su_dynamic_export *symbol = &before->exports[i];
                int order = -1;

                if (su_dynamic_is_private(symbol->version))
                        continue;
                while (j < after->n_exports && compare(&after->exports[j], symbol) < 0)
                        j++;
                if (j < after->n_exports)
                        order = compare(&after->exports[j], symbol);
                if ((j == after->n_exports || order != 0) && !is_incidental(symbol))
                        add_name(&gone, symbol->name);
                if (j < after->n_exports && order == 0 && symbol->is_data && !symbol->is_weak &&
                    symbol->size != after->exports[j].size)
                        add_name(&resized, symbol->name);
        }
        r = report_names(&gone, "symbols are gone", path, findings, err);
        return r < 0 ? r
                     : report_names(&resized,
                                    "variables have another size, of which programs have copies",
                                    path, findings, err);
}

static int compare_names(const struct su_dynamic *before, const struct su_dynamic *after,
                         const char *path, struct su_findings *findings, struct su_error *err)
{
        int r = 0;

        if (before->soname && (!after->soname || strcmp(before->soname, after->soname) != 0))
                r = su_findings_add(findings, SU_CHECK_VERSION, path, err,
                                    "its SONAME is %s, and not %s any more: what is linked with "
                                    "it does not find it",
                                    after->soname ? after->soname : "not set", before->soname);
        for (size_t i = 0; i < before->n_versions && r >= 0; i++)
                if (!su_dynamic_is_private(before->versions[i]) &&
                    !su_dynamic_defines(after, before->versions[i]))
                        r = su_findings_add(findings, SU_CHECK_VERSION, path, err,
                                            "it has no symbol version %s any more: it goes back",
                                            before->versions[i]);
        return r;
}

/* The image's file that has the SONAME: the next version of a library whose file name changes. */
static int open_successor(const struct su_check_subject *subject, const char *soname,
                          struct su_dynamic *ret, const char **ret_path, struct su_error *err)
{
        const struct su_component *component = subject->component;

        for (size_t i = 0; i < component->n_files; i++) {
                su_auto_dynamic struct su_dynamic elf = SU_DYNAMIC_EMPTY;
                int r;

                if (component->files[i].is_gone)
                        continue;
                r = su_check_read_dynamic(subject->staging_fd, component->files[i].path, &elf, err);
                if (r < 0)
                        return r;
                if (!elf.soname || strcmp(elf.soname, soname) != 0)
                        continue;
                *ret = elf;
                *ret_path = component->files[i].path;
                elf = (struct su_dynamic)SU_DYNAMIC_EMPTY;
                return 0;
        }
        return 0;
}

static int check_file(const struct su_check_subject *subject, const struct su_changed_file *file,
                      struct su_findings *findings, struct su_error *err)
{
        su_auto_dynamic struct su_dynamic before = SU_DYNAMIC_EMPTY;
        su_auto_dynamic struct su_dynamic after = SU_DYNAMIC_EMPTY;
        const char *path = file->path;
        int r;

        r = su_check_read_dynamic(subject->tree_fd, file->path, &before, err);
        if (r < 0 || (before.n_exports == 0 && !before.soname) || (file->is_gone && !before.soname))
                return r;
        if (!file->is_gone)
                r = su_check_read_dynamic(subject->staging_fd, file->path, &after, err);
        else
                r = open_successor(subject, before.soname, &after, &path, err);
        if (r >= 0 && !after.handle)
                return su_findings_add(findings, SU_CHECK_VERSION, file->path, err,
                                       "no library of the fix has its SONAME, %s", before.soname);
        if (r >= 0)
                r = compare_names(&before, &after, path, findings, err);
        if (r >= 0)
                r = compare_exports(&before, &after, path, findings, err);
        return r < 0 ? r : su_abidiff(subject, file->path, path, &before, &after, findings, err);
}

int su_check_abi(const struct su_check_subject *subject, struct su_findings *findings,
                 struct su_error *err)
{
        const struct su_component *component = subject->component;
        int r = 0;

        for (size_t i = 0; i < component->n_files && r >= 0; i++)
                if (!component->files[i].is_new)
                        r = check_file(subject, &component->files[i], findings, err);
        return r;
}
