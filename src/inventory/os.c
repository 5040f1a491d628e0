#include "inventory/os.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "inventory/build_id.h"

#define OS_RELEASE_MAX (64 * 1024)

/* Unquote in place as os-release(5) asks: optional single or double quotes, backslash escapes. */
static void unquote(char *value)
{
        size_t size = strlen(value);
        char *to = value;
        char quote = '\0';
        char *from = value;
        char *end;

        while (size > 0 && strchr(" \t\r", value[size - 1]))
                value[--size] = '\0';
        if (size >= 2 && (value[0] == '"' || value[0] == '\'') && value[size - 1] == value[0]) {
                quote = value[0];
                from++;
                size--;
        }
        end = value + size;
        while (from < end) {
                if (*from == '\\' && quote != '\'' && from + 1 < end)
                        from++;
                *to++ = *from++;
        }
        *to = '\0';
}

int su_os_release_value(const char *text, const char *name, char **ret, struct su_error *err)
{
        size_t name_size = strlen(name);
        su_auto_free char *value = NULL;

        for (const char *line = text; *line;) {
                size_t size = strcspn(line, "\n");

                if (size > name_size && memcmp(line, name, name_size) == 0 &&
                    line[name_size] == '=') {
                        free(value);
                        value = strndup(line + name_size + 1, size - name_size - 1);
                        if (!value)
                                return su_fail_oom(err);
                        unquote(value);
                }
                line += size + (line[size] == '\n');
        }
        *ret = su_take(value);
        return 0;
}

static int read_os_release(int root_fd, char **ret_text, struct su_error *err)
{
        static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};

        for (size_t i = 0; i < SU_ELEMENTS(paths); i++) {
                su_auto_close int fd = -EBADF;
                int r;

                r = su_open_in_root(root_fd, paths[i], O_RDONLY, &fd, err);
                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return r;
                return su_file_read_fd(fd, paths[i], OS_RELEASE_MAX, ret_text, NULL, err);
        }
        return su_fail(err, SU_ERROR_BASELINE,
                       "this is not an OS tree: it has no /etc/os-release and no "
                       "/usr/lib/os-release");
}

static const char *architecture_of_machine(uint16_t machine)
{
        switch (machine) {
        case SU_ELF_MACHINE_X86_64:
                return "x86-64";
        case SU_ELF_MACHINE_AARCH64:
                return "arm64";
        default:
                return NULL;
        }
}

/* A program that an OS need not have, or not for everybody; any other failure says nothing about
 * it.
 */
static bool is_absent(int r)
{
        return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EACCES;
}

/* The architecture of the tree is that of its programs, whatever kernel runs: the first of a few
 * that every OS has decides. */
static int read_architecture(int root_fd, char **ret, struct su_error *err)
{
        static const char *const programs[] = {
                "/usr/bin/true",
                "/usr/bin/sh",
                "/usr/bin/busybox",
                "/usr/lib/systemd/systemd",
        };

        for (size_t i = 0; i < SU_ELEMENTS(programs); i++) {
                su_auto_close int fd = -EBADF;
                struct su_build_id id;
                const char *architecture;
                uint16_t machine;
                int r;

                r = su_open_in_root(root_fd, programs[i], O_RDONLY, &fd, err);
                if (is_absent(r))
                        continue;
                if (r >= 0)
                        r = su_build_id_read(fd, programs[i], &id, &machine, err);
                if (r < 0)
                        return r;
                architecture = architecture_of_machine(machine);
                if (architecture)
                        return su_strdup(architecture, ret, err);
                if (machine != 0)
                        return su_fail(err, SU_ERROR_ARCHITECTURE,
                                       "'%s' is for ELF machine %u; supported are x86-64 and arm64",
                                       programs[i], machine);
        }
        return su_fail(err, SU_ERROR_ARCHITECTURE,
                       "cannot tell the architecture: none of /usr/bin/true, /usr/bin/sh, "
                       "/usr/bin/busybox and /usr/lib/systemd/systemd is a 64-bit ELF program");
}

static int derive_names(struct su_os *os, struct su_error *err)
{
        const char *version = os->image_version ? os->image_version : os->version_id;
        int r;

        r = su_strdup(version ? version : "", &os->version, err);
        if (r < 0)
                return r;
        r = su_format(&os->baseline, err, "%s%s%s%s%s-%s", os->id, os->version_id ? "-" : "",
                      os->version_id ? os->version_id : "", os->image_version ? "-" : "",
                      os->image_version ? os->image_version : "", os->architecture);
        if (r < 0)
                return r;
        if (!su_name_is_safe(os->baseline))
                return su_fail(err, SU_ERROR_BASELINE,
                               "os-release makes an unusable baseline name: '%s'", os->baseline);
        return 0;
}

int su_os_read(int root_fd, struct su_os *ret, struct su_error *err)
{
        su_auto_os struct su_os os = {0};
        su_auto_free char *text = NULL;
        int r;

        r = read_os_release(root_fd, &text, err);
        if (r >= 0)
                r = su_os_release_value(text, "ID", &os.id, err);
        if (r >= 0 && !os.id)
                r = su_strdup("linux", &os.id, err);
        if (r >= 0)
                r = su_os_release_value(text, "VERSION_ID", &os.version_id, err);
        if (r >= 0)
                r = su_os_release_value(text, "IMAGE_VERSION", &os.image_version, err);
        if (r >= 0 && !os.image_version)
                r = su_os_release_value(text, "BUILD_ID", &os.image_version, err);
        if (r >= 0)
                r = su_os_release_value(text, "PRETTY_NAME", &os.name, err);
        if (r >= 0 && !os.name)
                r = su_strdup(os.id, &os.name, err);
        if (r >= 0)
                r = read_architecture(root_fd, &os.architecture, err);
        if (r >= 0)
                r = derive_names(&os, err);
        if (r < 0)
                return r;
        *ret = os;
        os = (struct su_os){0};
        return 0;
}

void su_os_done(struct su_os *os)
{
        free(os->id);
        free(os->version_id);
        free(os->image_version);
        free(os->name);
        free(os->architecture);
        free(os->baseline);
        free(os->version);
        *os = (struct su_os){0};
}
