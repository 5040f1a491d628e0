#include "publish/draft/packages.h"

#include <fcntl.h>
#include <regex.h>
#include <stdbool.h>
#include <string.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "publish/draft/fixes.h"

int su_packages_unpack(char *const *packages, size_t n_packages, const char *into,
                       struct su_error *err)
{
        for (size_t i = 0; i < n_packages; i++) {
                const char *const argv[] = {"dpkg-deb", "-x", packages[i], into, NULL};
                int r = su_process_run(argv, NULL, NULL, err);

                if (r < 0)
                        return su_fail_prefix(err, r, "'%s'", packages[i]);
        }
        return 0;
}

/* One line of a program's output, without its newline. */
static int run_for_line(const char *const argv[], char **ret, struct su_error *err)
{
        int r = su_process_run(argv, ret, NULL, err);

        if (r >= 0)
                (*ret)[strcspn(*ret, "\n")] = '\0';
        return r;
}

static int package_field(const char *package, const char *field, char **ret, struct su_error *err)
{
        const char *const argv[] = {"dpkg-deb", "-f", package, field, NULL};

        return run_for_line(argv, ret, err);
}

static int installed_version(const char *tree, const char *name, char **ret, struct su_error *err)
{
        su_auto_free char *option = NULL;
        int r;

        r = su_format(&option, err, "--admindir=%s/var/lib/dpkg", tree);
        if (r < 0)
                return r;
        const char *const argv[] = {"dpkg-query", option, "-W", "-f", "${Version}", name, NULL};
        r = run_for_line(argv, ret, err);
        if (r < 0)
                return su_fail_prefix(err, r, "the baseline's tree has no package '%s'", name);
        return 0;
}

static int check_newer(const char *name, const char *old_version, const char *new_version,
                       struct su_error *err)
{
        const char *const argv[] = {"dpkg", "--compare-versions", new_version,
                                    "gt",   old_version,          NULL};

        if (su_process_run(argv, NULL, NULL, NULL) >= 0)
                return 0;
        return su_fail(err, SU_ERROR_CONFLICT,
                       "package '%s' would not go forward: the baseline has %s, this is %s", name,
                       old_version, new_version);
}

/* Runs of white space become one blank: changelogs break their lines anywhere. */
static void fold_blanks(char *text)
{
        char *to = text;

        for (const char *from = text; *from;) {
                size_t blanks = strspn(from, " \t\n\r");

                if (blanks > 0) {
                        *to++ = ' ';
                        from += blanks;
                } else {
                        *to++ = *from++;
                }
        }
        *to = '\0';
}

int su_fixes_from_text(const char *text, struct su_component *component, struct su_error *err)
{
        static const char pattern[] = "(CVE-[0-9]{4}-[0-9]{4,})( ?\\(\"([^\"]{1,200})\"\\))?";
        su_auto_free char *folded = NULL;
        regmatch_t match[4];
        const char *rest;
        regex_t regex;
        int r;

        r = su_strdup(text, &folded, err);
        if (r < 0)
                return r;
        fold_blanks(folded);
        if (regcomp(&regex, pattern, REG_EXTENDED) != 0)
                return su_fail_oom(err);
        for (rest = folded; r >= 0 && regexec(&regex, rest, SU_ELEMENTS(match), match, 0) == 0;
             rest += match[0].rm_eo) {
                su_auto_free char *id =
                        strndup(rest + match[1].rm_so, (size_t)(match[1].rm_eo - match[1].rm_so));
                su_auto_free char *title = NULL;

                if (match[3].rm_so >= 0)
                        title = strndup(rest + match[3].rm_so,
                                        (size_t)(match[3].rm_eo - match[3].rm_so));
                r = id ? su_fixes_add(component, id, title, NULL, err) : su_fail_oom(err);
        }
        regfree(&regex);
        return r;
}

/* Policy 12.7: native packages ship changelog.gz, all others changelog.Debian.gz. */
static int read_changelog(const char *unpacked, const char *name, char **ret, size_t *ret_size,
                          struct su_error *err)
{
        static const char *const files[] = {"changelog.Debian.gz", "changelog.gz"};

        for (size_t i = 0; i < SU_ELEMENTS(files); i++) {
                su_auto_free char *path = NULL;
                int r;

                r = su_format(&path, err, "%s/usr/share/doc/%s/%s", unpacked, name, files[i]);
                if (r < 0)
                        return r;
                if (access(path, R_OK) < 0)
                        continue;
                const char *const argv[] = {"gzip", "-dc", path, NULL};
                return su_process_run(argv, ret, ret_size, err);
        }
        *ret = NULL;
        return 0;
}

static int fixes_between(const char *unpacked, const char *scratch, const char *name,
                         const char *old_version, struct su_component *component,
                         struct su_error *err)
{
        su_auto_free char *changelog = NULL;
        su_auto_free char *changes = NULL;
        su_auto_free char *path = NULL;
        size_t size;
        int r;

        r = read_changelog(unpacked, name, &changelog, &size, err);
        if (r < 0 || !changelog)
                return r;
        r = su_format(&path, err, "%s/changelog", scratch);
        if (r >= 0)
                r = su_file_write(AT_FDCWD, path, changelog, size, 0644, err);
        if (r < 0)
                return r;
        const char *const argv[] = {"dpkg-parsechangelog", "-l", path,      "--since",
                                    old_version,           "-S", "Changes", NULL};
        r = su_process_run(argv, &changes, NULL, err);
        if (r >= 0)
                r = su_fixes_from_text(changes, component, err);
        return r;
}

static int add_package(struct su_component *component, const char *name, struct su_error *err)
{
        char **larger;
        int r;

        if (component->n_packages == SU_PACKAGES_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "more than %d packages in one component",
                               SU_PACKAGES_MAX);
        larger = reallocarray(component->packages, component->n_packages + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        component->packages = larger;
        r = su_strdup(name, &larger[component->n_packages], err);
        if (r >= 0)
                component->n_packages++;
        return r;
}

/* The first package speaks for the component's version; all of one source have the same. */
static int describe_package(const char *package, const char *tree, const char *unpacked,
                            const char *scratch, struct su_component *component,
                            struct su_error *err)
{
        su_auto_free char *name = NULL;
        su_auto_free char *old_version = NULL;
        su_auto_free char *new_version = NULL;
        int r;

        r = package_field(package, "Package", &name, err);
        if (r >= 0 && su_ends_with(name, "-dbgsym")) /* only for whoever compares */
                return 0;
        if (r >= 0)
                r = add_package(component, name, err);
        if (r >= 0)
                r = package_field(package, "Version", &new_version, err);
        if (r >= 0)
                r = installed_version(tree, name, &old_version, err);
        if (r >= 0)
                r = check_newer(name, old_version, new_version, err);
        if (r >= 0)
                r = fixes_between(unpacked, scratch, name, old_version, component, err);
        if (r < 0)
                return r;
        if (!component->old_version)
                component->old_version = su_take(old_version);
        if (!component->new_version)
                component->new_version = su_take(new_version);
        return 0;
}

int su_packages_describe(char *const *packages, size_t n_packages, const char *tree,
                         const char *unpacked, const char *scratch, struct su_component *component,
                         struct su_error *err)
{
        for (size_t i = 0; i < n_packages; i++) {
                int r = describe_package(packages[i], tree, unpacked, scratch, component, err);

                if (r < 0)
                        return r;
        }
        return 0;
}
