#include "publish/checks/checks.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "publish/checks/parts.h"

int su_checks_run(const struct su_check_subject *subject, struct su_findings *findings,
                  struct su_error *err)
{
        static const su_check_part parts[] = {
                su_check_baseline, su_check_paths,  su_check_rights, su_check_dates,
                su_check_sizes,    su_check_abi,    su_check_needs,  su_check_glibc,
                su_check_hwcaps,   su_check_python,
        };
        int r = 0;

        for (size_t i = 0; i < SU_ELEMENTS(parts) && r >= 0; i++)
                r = parts[i](subject, findings, err);
        return r;
}

const struct su_changed_file *su_check_file(const struct su_check_subject *subject,
                                            const char *path)
{
        const struct su_component *component = subject->component;

        for (size_t i = 0; i < component->n_files; i++)
                if (!component->files[i].is_gone && strcmp(component->files[i].path, path) == 0)
                        return &component->files[i];
        return NULL;
}

const char *su_check_basename(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

int su_check_read_dynamic(int root_fd, const char *path, struct su_dynamic *ret,
                          struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r = su_open_in_root(root_fd, path, O_RDONLY | O_CLOEXEC, &fd, NULL);

        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
                return 0;
        if (r < 0)
                return su_fail_errno(err, r, "cannot open '%s'", path);
        return su_dynamic_read(&fd, path, ret, err);
}

bool su_check_exists(int root_fd, const char *path)
{
        su_auto_close int fd = -EBADF;

        return su_open_in_root(root_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, &fd, NULL) >= 0;
}
