/* Files that only make sense together: the parts of the C library, a library and its builds for
 * newer processors, a Python module and its cache. */
#include <string.h>

#include "base/text.h"
#include "publish/checks/parts.h"

/* Of glibc 2.36 and 2.41; they use each other's private symbols. */
static const char *const c_library[] = {
        "libc.so.6",
        "ld-linux-x86-64.so.2",
        "ld-linux-aarch64.so.1",
        "libm.so.6",
        "libmvec.so.1",
        "libpthread.so.0",
        "libdl.so.2",
        "librt.so.1",
        "libresolv.so.2",
        "libutil.so.1",
        "libanl.so.1",
        "libnsl.so.1",
        "libnss_dns.so.2",
        "libnss_files.so.2",
        "libnss_compat.so.2",
        "libnss_hesiod.so.2",
        "libthread_db.so.1",
        "libBrokenLocale.so.1",
        "libc_malloc_debug.so.0",
};

static const char *part_of_c_library(const char *path)
{
        for (size_t i = 0; i < SU_ELEMENTS(c_library); i++)
                if (strcmp(su_check_basename(path), c_library[i]) == 0)
                        return c_library[i];
        return NULL;
}

/* The fixed tree may have it unchanged, which is as good; packages of a merged /usr may name /lib.
 */
static bool is_in_fix(const struct su_check_subject *subject, const char *path)
{
        return su_check_file(subject, path) || su_check_exists(subject->fixed_fd, path) ||
               su_check_exists(subject->fixed_fd, path + strlen("/usr"));
}

static int check_beside(const struct su_check_subject *subject, const char *path, const char *part,
                        struct su_findings *findings, struct su_error *err)
{
        const int directory = (int)(su_check_basename(path) - path);
        int r = 0;

        for (size_t i = 0; i < SU_ELEMENTS(c_library) && r >= 0; i++) {
                su_auto_free char *other = NULL;

                r = su_format(&other, err, "%.*s%s", directory, path, c_library[i]);
                if (r < 0 || !su_baseline_find(subject->baseline, other) ||
                    is_in_fix(subject, other))
                        continue;
                r = su_findings_add(findings, SU_CHECK_GLIBC, other, err,
                                    "it is of one build with %s, which changes: programs do not "
                                    "start with a mix of two",
                                    part);
        }
        return r;
}

/* One of them speaks for all in its directory. */
int su_check_glibc(const struct su_check_subject *subject, struct su_findings *findings,
                   struct su_error *err)
{
        const struct su_component *component = subject->component;

        for (size_t i = 0; i < component->n_files; i++) {
                const char *part = part_of_c_library(component->files[i].path);

                if (part && !component->files[i].is_gone)
                        return check_beside(subject, component->files[i].path, part, findings, err);
        }
        return 0;
}

/* DIR/glibc-hwcaps/LEVEL/NAME is a build of DIR/NAME. */
static int check_builds(const struct su_check_subject *subject, const struct su_changed_file *file,
                        struct su_findings *findings, struct su_error *err)
{
        const struct su_baseline *baseline = subject->baseline;
        const char *name = su_check_basename(file->path);
        su_auto_free char *prefix = NULL;
        int r;

        r = su_format(&prefix, err, "%.*sglibc-hwcaps/", (int)(name - file->path), file->path);
        if (r < 0)
                return r;
        for (size_t i = su_baseline_first(baseline, prefix);
             i < baseline->n_files && su_starts_with(baseline->files[i].path, prefix) && r >= 0;
             i++)
                if (strcmp(su_check_basename(baseline->files[i].path), name) == 0 &&
                    !su_check_file(subject, baseline->files[i].path))
                        r = su_findings_add(findings, SU_CHECK_HWCAPS, baseline->files[i].path, err,
                                            "newer processors use it in the place of %s, and it is "
                                            "not fixed",
                                            file->path);
        return r;
}

/* A build for newer processors that the baseline has not would hide the baseline's library. */
static int check_shadow(const struct su_check_subject *subject, const struct su_changed_file *file,
                        struct su_findings *findings, struct su_error *err)
{
        const char *below = strstr(file->path, "glibc-hwcaps/");
        su_auto_free char *library = NULL;
        int r;

        r = su_format(&library, err, "%.*s%s", (int)(below - file->path), file->path,
                      su_check_basename(file->path));
        if (r < 0 || !su_baseline_find(subject->baseline, library) ||
            su_check_file(subject, library))
                return r;
        return su_findings_add(findings, SU_CHECK_HWCAPS, file->path, err,
                               "newer processors would use it in the place of %s, which is not "
                               "part of the fix",
                               library);
}

int su_check_hwcaps(const struct su_check_subject *subject, struct su_findings *findings,
                    struct su_error *err)
{
        const struct su_component *component = subject->component;
        int r = 0;

        for (size_t i = 0; i < component->n_files && r >= 0; i++) {
                const struct su_changed_file *file = &component->files[i];

                if (strstr(file->path, "/glibc-hwcaps/")) {
                        if (file->is_new)
                                r = check_shadow(subject, file, findings, err);
                } else if (strstr(su_check_basename(file->path), ".so") && !file->is_gone) {
                        r = check_builds(subject, file, findings, err);
                }
        }
        return r;
}

/* DIR/__pycache__/NAME.cpython-311.pyc is the cache of DIR/NAME.py (PEP 3147). */
static int check_cache(const struct su_check_subject *subject, const struct su_changed_file *file,
                       struct su_findings *findings, struct su_error *err)
{
        const struct su_baseline *baseline = subject->baseline;
        const char *name = su_check_basename(file->path);
        const int directory = (int)(name - file->path);
        const int stem = (int)(strlen(name) - strlen("py")); /* with the full stop */
        su_auto_free char *prefix = NULL;
        int r;

        r = su_format(&prefix, err, "%.*s__pycache__/%.*s", directory, file->path, stem, name);
        if (r < 0)
                return r;
        for (size_t i = su_baseline_first(baseline, prefix);
             i < baseline->n_files && su_starts_with(baseline->files[i].path, prefix) && r >= 0;
             i++)
                if (!su_check_file(subject, baseline->files[i].path))
                        r = su_findings_add(findings, SU_CHECK_PYTHON, file->path, err,
                                            "its cache %s is not part of the fix: the module is "
                                            "compiled at each start, or the old one is used",
                                            baseline->files[i].path);
        return r;
}

int su_check_python(const struct su_check_subject *subject, struct su_findings *findings,
                    struct su_error *err)
{
        const struct su_component *component = subject->component;
        int r = 0;

        for (size_t i = 0; i < component->n_files && r >= 0; i++)
                if (su_ends_with(component->files[i].path, ".py") && !component->files[i].is_gone)
                        r = check_cache(subject, &component->files[i], findings, err);
        return r;
}
