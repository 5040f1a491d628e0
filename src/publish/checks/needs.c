/* What a fixed file is linked with has to be there: on the baseline, or in the fix. */
#include <string.h>

#include "base/text.h"
#include "publish/checks/parts.h"

/* A library that something needs, once looked up. */
struct provider {
        char *library;
        bool is_there;
        struct su_dynamic elf;
};

struct providers {
        const struct su_check_subject *subject;
        struct provider *list;
        size_t n;
};

static void providers_done(struct providers *providers)
{
        for (size_t i = 0; i < providers->n; i++) {
                free(providers->list[i].library);
                su_dynamic_done(&providers->list[i].elf);
        }
        free(providers->list);
}

/* The image is above the baseline's tree. */
static int try_path(const struct su_check_subject *subject, const char *path,
                    struct provider *provider, struct su_error *err)
{
        int r = su_check_read_dynamic(subject->staging_fd, path, &provider->elf, err);

        if (r >= 0 && !provider->elf.handle)
                r = su_check_read_dynamic(subject->tree_fd, path, &provider->elf, err);
        provider->is_there = provider->elf.handle != NULL;
        return r;
}

static int try_directory(const struct su_check_subject *subject, const char *directory, int size,
                         struct provider *provider, struct su_error *err)
{
        su_auto_free char *path = NULL;
        int r = su_format(&path, err, "%.*s/%s", size, directory, provider->library);

        return r < 0 ? r : try_path(subject, path, provider, err);
}

/* Where the dynamic linker looks on Debian, and on systems with lib64. */
static int try_system(const struct su_check_subject *subject, struct provider *provider,
                      struct su_error *err)
{
        static const struct {
                const char *architecture;
                const char *directory;
        } directories[] = {
                {"x86-64", "/usr/lib/x86_64-linux-gnu"},
                {"arm64", "/usr/lib/aarch64-linux-gnu"},
                {NULL, "/usr/lib64"},
                {NULL, "/usr/lib"},
                {NULL, "/lib64"},
        };
        int r = 0;

        for (size_t i = 0; i < SU_ELEMENTS(directories) && r >= 0 && !provider->is_there; i++)
                if (!directories[i].architecture ||
                    strcmp(directories[i].architecture, subject->baseline->architecture) == 0)
                        r = try_directory(subject, directories[i].directory,
                                          (int)strlen(directories[i].directory), provider, err);
        return r;
}

/* Directories of a program's own (DT_RUNPATH, ld.so.conf): any file of that name will do. */
static int try_anywhere(const struct su_check_subject *subject, struct provider *provider,
                        struct su_error *err)
{
        const struct su_component *component = subject->component;
        const struct su_baseline *baseline = subject->baseline;
        int r = 0;

        for (size_t i = 0; i < component->n_files && r >= 0 && !provider->is_there; i++)
                if (!component->files[i].is_gone &&
                    strcmp(su_check_basename(component->files[i].path), provider->library) == 0)
                        r = try_path(subject, component->files[i].path, provider, err);
        for (size_t i = 0; i < baseline->n_files && r >= 0 && !provider->is_there; i++)
                if (strcmp(su_check_basename(baseline->files[i].path), provider->library) == 0)
                        r = try_path(subject, baseline->files[i].path, provider, err);
        return r;
}

static int look_up(struct providers *providers, const char *user, struct provider *provider,
                   struct su_error *err)
{
        const int own_directory = (int)(su_check_basename(user) - user) - 1;
        int r = try_system(providers->subject, provider, err);

        if (r >= 0 && !provider->is_there)
                r = try_directory(providers->subject, user, own_directory, provider, err);
        return r < 0 || provider->is_there ? r : try_anywhere(providers->subject, provider, err);
}

static int find(struct providers *providers, const char *user, const char *library,
                const struct provider **ret, struct su_error *err)
{
        struct provider *larger;
        struct provider *provider;
        int r;

        for (size_t i = 0; i < providers->n; i++)
                if (strcmp(providers->list[i].library, library) == 0) {
                        *ret = &providers->list[i];
                        return 0;
                }
        larger = reallocarray(providers->list, providers->n + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        providers->list = larger;
        provider = &larger[providers->n];
        *provider = (struct provider){.elf = SU_DYNAMIC_EMPTY};
        r = su_strdup(library, &provider->library, err);
        if (r < 0)
                return r;
        providers->n++;
        r = look_up(providers, user, provider, err);
        if (r >= 0)
                *ret = provider;
        return r;
}

static int check_need(struct providers *providers, const char *path,
                      const struct su_dynamic_need *need, struct su_findings *findings,
                      struct su_error *err)
{
        const struct provider *provider;
        int r = find(providers, path, need->library, &provider, err);

        if (r < 0)
                return r;
        if (!provider->is_there)
                return need->version[0]
                               ? 0 /* said of the library as such */
                               : su_findings_add(findings, SU_CHECK_NEEDS, path, err,
                                                 "it is linked with %s, which neither the baseline "
                                                 "nor the fix has",
                                                 need->library);
        if (need->version[0] == '\0' || su_dynamic_defines(&provider->elf, need->version))
                return 0;
        return su_findings_add(findings, SU_CHECK_NEEDS, path, err,
                               "it needs version %s of %s, which neither the baseline nor the fix "
                               "has",
                               need->version, need->library);
}

/* What the baseline's file needed already is the baseline's business. */
static int check_file(struct providers *providers, const struct su_changed_file *file,
                      struct su_findings *findings, struct su_error *err)
{
        const struct su_check_subject *subject = providers->subject;
        su_auto_dynamic struct su_dynamic before = SU_DYNAMIC_EMPTY;
        su_auto_dynamic struct su_dynamic after = SU_DYNAMIC_EMPTY;
        int r;

        r = su_check_read_dynamic(subject->staging_fd, file->path, &after, err);
        if (r >= 0 && after.n_needs > 0 && !file->is_new)
                r = su_check_read_dynamic(subject->tree_fd, file->path, &before, err);
        for (size_t i = 0; i < after.n_needs && r >= 0; i++)
                if (!su_dynamic_wants(&before, &after.needs[i]))
                        r = check_need(providers, file->path, &after.needs[i], findings, err);
        return r;
}

int su_check_needs(const struct su_check_subject *subject, struct su_findings *findings,
                   struct su_error *err)
{
        su_auto(providers_done) struct providers providers = {.subject = subject};
        const struct su_component *component = subject->component;
        int r = 0;

        for (size_t i = 0; i < component->n_files && r >= 0; i++)
                if (!component->files[i].is_gone)
                        r = check_file(&providers, &component->files[i], findings, err);
        return r;
}
