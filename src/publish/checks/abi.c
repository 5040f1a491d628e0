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

/* C++ exports much that is nobody's interface: functions that happened not to be inlined, tables,
 * what the other libraries of the same source use. Such a loss counts when a program or library of
 * the baseline, which is not replaced itself, needs it. */
struct losses {
        const char **names;
        size_t n;
};

static void losses_done(struct losses *losses)
{
        free(losses->names);
}

static bool is_of_cxx(const struct su_dynamic_export *symbol)
{
        return su_starts_with(symbol->name, "_Z");
}

static int add_loss(struct losses *losses, size_t max, const char *name, struct su_error *err)
{
        if (!losses->names)
                losses->names = calloc(max, sizeof *losses->names);
        if (!losses->names)
                return su_fail_oom(err);
        losses->names[losses->n++] = name;
        return 0;
}

static bool is_user_of(const struct su_dynamic *elf, const char *soname)
{
        const struct su_dynamic_need need = {.library = soname, .version = ""};

        return su_dynamic_wants(elf, &need);
}

static int check_user(const struct su_check_subject *subject, const char *user, const char *path,
                      const char *soname, const struct losses *losses, struct su_findings *findings,
                      struct su_error *err)
{
        su_auto_dynamic struct su_dynamic elf = SU_DYNAMIC_EMPTY;
        struct names used = {0};
        int r = su_check_read_dynamic(subject->tree_fd, user, &elf, err);

        if (r < 0 || !is_user_of(&elf, soname))
                return r;
        for (size_t i = 0; i < losses->n; i++)
                if (su_dynamic_takes(&elf, losses->names[i]))
                        add_name(&used, losses->names[i]);
        if (used.n == 0)
                return 0;
        return su_findings_add(findings, SU_CHECK_ABI, path, err,
                               "%s needs %zu of its symbols that are gone or have another size: "
                               "%s%s",
                               user, used.n, used.first[0], used.n > 1 ? ", ..." : "");
}

/* Also a library whose place one of another name takes. */
static bool is_replaced(const struct su_check_subject *subject, const char *path)
{
        const struct su_component *component = subject->component;

        for (size_t i = 0; i < component->n_files; i++)
                if (strcmp(component->files[i].path, path) == 0)
                        return true;
        return false;
}

static int check_users(const struct su_check_subject *subject, const char *path, const char *soname,
                       const struct losses *losses, struct su_findings *findings,
                       struct su_error *err)
{
        const struct su_baseline *baseline = subject->baseline;
        int r = 0;

        for (size_t i = 0; i < baseline->n_files && losses->n > 0 && soname && r >= 0; i++)
                if (baseline->files[i].facts.build_id.size > 0 &&
                    !is_replaced(subject, baseline->files[i].path))
                        r = check_user(subject, baseline->files[i].path, path, soname, losses,
                                       findings, err);
        return r;
}

static int compare(const struct su_dynamic_export *a, const struct su_dynamic_export *b)
{
        const int order = strcmp(a->name, b->name);

        return order != 0 ? order : strcmp(a->version, b->version);
}

static int compare_exports(const struct su_check_subject *subject, const struct su_dynamic *before,
                           const struct su_dynamic *after, const char *path,
                           struct su_findings *findings, struct su_error *err)
{
        su_auto(losses_done) struct losses losses = {0};
        struct names resized = {0};
        struct names gone = {0};
        size_t j = 0;
        int r = 0;

        for (size_t i = 0; i < before->n_exports && r >= 0; i++) {
                const struct su_dynamic_export *symbol = &before->exports[i];
                bool is_gone;

                if (su_dynamic_is_private(symbol->version))
                        continue;
                while (j < after->n_exports && compare(&after->exports[j], symbol) < 0)
                        j++;
                is_gone = j == after->n_exports || compare(&after->exports[j], symbol) != 0;
                if (!is_gone && (!symbol->is_data || symbol->size == after->exports[j].size))
                        continue;
                if (is_of_cxx(symbol))
                        r = add_loss(&losses, before->n_exports, symbol->name, err);
                else if (is_gone)
                        add_name(&gone, symbol->name);
                else if (!symbol->is_weak)
                        add_name(&resized, symbol->name);
        }
        if (r >= 0)
                r = report_names(&gone, "symbols are gone", path, findings, err);
        if (r >= 0)
                r = report_names(&resized,
                                 "variables have another size, of which programs have copies", path,
                                 findings, err);
        return r < 0 ? r : check_users(subject, path, before->soname, &losses, findings, err);
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
                r = compare_exports(subject, &before, &after, path, findings, err);
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
