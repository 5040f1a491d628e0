#include "publish/debian/apt.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

/* Read after the machine's own configuration: its proxies hold, its hooks and packages do not. */
static const char config_format[] = "Dir::State \"%1$s\";\n"
                                    "Dir::State::lists \"%1$s/lists\";\n"
                                    "Dir::State::status \"%1$s/status\";\n"
                                    "Dir::Cache \"%1$s\";\n"
                                    "Dir::Cache::archives \"%1$s/archives\";\n"
                                    "Dir::Cache::pkgcache \"\";\n"
                                    "Dir::Cache::srcpkgcache \"\";\n"
                                    "Dir::Etc::sourcelist \"%2$s\";\n"
                                    "Dir::Etc::sourceparts \"%3$s\";\n"
                                    "Dir::Etc::preferences \"%1$s/none\";\n"
                                    "Dir::Etc::preferencesparts \"%1$s/none.d\";\n"
                                    "APT::Architecture \"%4$s\";\n"
                                    "#clear APT::Architectures;\n"
                                    "APT::Architectures { \"%4$s\"; };\n"
                                    "APT::Sandbox::User \"root\";\n"
                                    "APT::Update::Error-Mode \"any\";\n"
                                    "Acquire::Languages \"none\";\n"
                                    "#clear APT::Update::Pre-Invoke;\n"
                                    "#clear APT::Update::Post-Invoke;\n"
                                    "#clear APT::Update::Post-Invoke-Success;\n"
                                    "#clear APT::Default-Release;\n";

static int make_directories(const char *directory, struct su_error *err)
{
        static const char *const parts[] = {"lists/partial", "archives/partial", "none.d", "debs"};
        su_auto_close int fd = -EBADF;
        int r = 0;

        r = su_dir_open(directory, &fd, err);
        for (size_t i = 0; i < SU_ELEMENTS(parts) && r >= 0; i++) {
                su_auto_close int part_fd = -EBADF;

                r = su_dir_make(fd, parts[i], 0755, &part_fd, err);
        }
        return r < 0 ? r : su_file_write(fd, "status", "", 0, 0644, err);
}

static int absolute(const char *path, char **ret, struct su_error *err)
{
        *ret = realpath(path, NULL);
        return *ret ? 0 : su_fail_errno(err, errno, "cannot find '%s'", path);
}

static int find_sources(const struct su_apt *apt, const char *tree, const char *sources,
                        char **ret_list, char **ret_parts, struct su_error *err)
{
        int r;

        if (sources) {
                r = absolute(sources, ret_list, err);
                return r < 0 ? r : su_format(ret_parts, err, "%s/none.d", apt->directory);
        }
        r = su_format(ret_list, err, "%s/etc/apt/sources.list", tree);
        return r < 0 ? r : su_format(ret_parts, err, "%s/etc/apt/sources.list.d", tree);
}

static int write_config(const struct su_apt *apt, const char *tree, const char *sources,
                        const char *architecture, struct su_error *err)
{
        su_auto_free char *parts = NULL;
        su_auto_free char *list = NULL;
        su_auto_free char *root = NULL;
        su_auto_free char *text = NULL;
        int r;

        r = absolute(tree, &root, err);
        if (r >= 0)
                r = find_sources(apt, root, sources, &list, &parts, err);
        if (r >= 0)
                r = su_format(&text, err, config_format, apt->directory, list, parts, architecture);
        if (r < 0)
                return r;
        if (strpbrk(apt->directory, "\"\n;") || strpbrk(list, "\"\n;"))
                return su_fail(err, SU_ERROR_USAGE, "apt cannot have '%s' in its configuration",
                               apt->directory);
        return su_file_write(AT_FDCWD, apt->config, text, strlen(text), 0644, err);
}

int su_apt_open(const char *directory, const char *tree, const char *sources,
                const char *architecture, struct su_apt *ret, struct su_error *err)
{
        su_auto_apt struct su_apt apt = {0};
        int r;

        r = absolute(directory, &apt.directory, err);
        if (r >= 0)
                r = su_format(&apt.config, err, "%s/apt.conf", apt.directory);
        if (r >= 0)
                r = make_directories(apt.directory, err);
        if (r >= 0)
                r = write_config(&apt, tree, sources, architecture, err);
        if (r < 0)
                return r;
        *ret = apt;
        apt = (struct su_apt){0};
        return 0;
}

void su_apt_done(struct su_apt *apt)
{
        free(apt->directory);
        free(apt->config);
        *apt = (struct su_apt){0};
}

int su_apt_update(const struct su_apt *apt, struct su_error *err)
{
        const char *const argv[] = {"apt-get", "-q", "-c", apt->config, "update", NULL};
        int r = su_process_run(argv, NULL, NULL, err);

        return r < 0 ? su_fail_prefix(err, r, "cannot fetch the package indexes") : 0;
}

static int append_index(const struct su_apt *apt, const char *path, FILE *to, struct su_error *err)
{
        const char *const argv[] = {
                "/usr/lib/apt/apt-helper", "-c", apt->config, "cat-file", path, NULL};
        su_auto_free char *text = NULL;
        size_t size;
        int r = su_process_run(argv, &text, &size, err);

        if (r < 0)
                return su_fail_prefix(err, r, "'%s'", path);
        return fwrite(text, 1, size, to) == size && fputs("\n\n", to) >= 0 ? 0 : su_fail_oom(err);
}

/* Each line is FILE|RELEASE, of the suites that the sources have. */
static int append_indexes(const struct su_apt *apt, char *list, const char *suite, FILE *to,
                          bool *ret_found, struct su_error *err)
{
        char *rest = NULL;
        int r = 0;

        for (char *line = strtok_r(list, "\n", &rest); line && r >= 0;
             line = strtok_r(NULL, "\n", &rest)) {
                char *bar = strchr(line, '|');

                if (!bar || strcmp(bar + 1, suite) != 0)
                        continue;
                *bar = '\0';
                *ret_found = true;
                r = append_index(apt, line, to, err);
        }
        return r;
}

int su_apt_packages(const struct su_apt *apt, const char *suite, char **ret, size_t *ret_size,
                    struct su_error *err)
{
        const char *const argv[] = {"apt-get",
                                    "-c",
                                    apt->config,
                                    "indextargets",
                                    "--format",
                                    "$(FILENAME)|$(RELEASE)",
                                    "Created-By: Packages",
                                    NULL};
        su_auto_free char *list = NULL;
        su_auto_free char *text = NULL;
        bool found = false;
        size_t size = 0;
        FILE *to;
        int r;

        r = su_process_run(argv, &list, NULL, err);
        if (r < 0)
                return r;
        to = open_memstream(&text, &size);
        if (!to)
                return su_fail_oom(err);
        r = append_indexes(apt, list, suite, to, &found, err);
        if (fclose(to) != 0 && r >= 0)
                r = su_fail_oom(err);
        if (r < 0)
                return r;
        if (!found)
                return su_fail(err, SU_ERROR_NOT_FOUND, "the sources have no suite '%s'", suite);
        *ret = su_take(text);
        *ret_size = size;
        return 0;
}

/* apt-get download puts it into the present directory, under a name with ':' as %3a. */
static int download(const struct su_apt *apt, const char *name, const char *version,
                    struct su_error *err)
{
        su_auto_free char *wanted = NULL;
        su_auto_free char *into = NULL;
        int r;

        r = su_format(&wanted, err, "%s=%s", name, version);
        if (r >= 0)
                r = su_format(&into, err, "--chdir=%s/debs", apt->directory);
        if (r < 0)
                return r;
        const char *const argv[] = {"env",       into,       "apt-get", "-q", "-c",
                                    apt->config, "download", wanted,    NULL};
        r = su_process_run(argv, NULL, NULL, err);
        return r < 0 ? su_fail_prefix(err, r, "cannot fetch %s", wanted) : 0;
}

int su_apt_fetch(const struct su_apt *apt, const char *name, const char *version,
                 const char *architecture, char **ret_path, struct su_error *err)
{
        const char *colon = strchr(version, ':');
        su_auto_free char *path = NULL;
        int r;

        if (colon)
                r = su_format(&path, err, "%s/debs/%s_%.*s%%3a%s_%s.deb", apt->directory, name,
                              (int)(colon - version), version, colon + 1, architecture);
        else
                r = su_format(&path, err, "%s/debs/%s_%s_%s.deb", apt->directory, name, version,
                              architecture);
        if (r < 0)
                return r;
        r = download(apt, name, version, err);
        if (r < 0)
                return r;
        if (access(path, R_OK) < 0)
                return su_fail_errno(err, errno, "apt-get left no '%s'", path);
        *ret_path = su_take(path);
        return 0;
}
