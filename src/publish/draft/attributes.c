#include "publish/draft/attributes.h"

#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/text.h"

#define NAMES_MAX 65536
#define VALUE_MAX 65536

/* The labels of a security module are the device's own business. */
static bool is_kept(const char *name)
{
        return strcmp(name, "security.capability") == 0 || su_starts_with(name, "user.") ||
               su_starts_with(name, "system.posix_acl_");
}

static int needs_root(struct su_error *err, const char *path, const char *what)
{
        return su_fail(err, SU_ERROR_CONFLICT, "'%s' %s: build it as root", path, what);
}

static int copy_owner(int from_fd, int to_fd, const char *path, bool *ret_special,
                      struct su_error *err)
{
        struct stat st;

        if (fstat(from_fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", path);
        /* A tree that a normal user unpacked: what is theirs there is root's on a device. */
        if (geteuid() != 0) {
                st.st_uid = st.st_uid == geteuid() ? 0 : st.st_uid;
                st.st_gid = st.st_gid == getegid() ? 0 : st.st_gid;
        }
        if (st.st_uid == 0 && st.st_gid == 0)
                return 0;
        if (geteuid() != 0)
                return needs_root(err, path, "belongs to another owner than root");
        if (fchown(to_fd, st.st_uid, st.st_gid) < 0)
                return su_fail_errno(err, errno, "cannot give '%s' its owner", path);
        *ret_special = true;
        return 0;
}

static int copy_attribute(int from_fd, int to_fd, const char *path, const char *name,
                          struct su_error *err)
{
        char value[VALUE_MAX];
        ssize_t size = fgetxattr(from_fd, name, value, sizeof value);

        if (size < 0)
                return su_fail_errno(err, errno, "cannot read %s of '%s'", name, path);
        if (fsetxattr(to_fd, name, value, (size_t)size, 0) >= 0)
                return 0;
        if (errno == EPERM)
                return needs_root(err, path, "has capabilities");
        return su_fail_errno(err, errno, "cannot give '%s' its %s", path, name);
}

int su_attributes_copy(int from_fd, int to_fd, const char *path, bool *ret_special,
                       struct su_error *err)
{
        char names[NAMES_MAX];
        ssize_t size;
        int r;

        r = copy_owner(from_fd, to_fd, path, ret_special, err);
        if (r < 0)
                return r;
        size = flistxattr(from_fd, names, sizeof names);
        if (size < 0)
                return errno == EOPNOTSUPP
                               ? 0
                               : su_fail_errno(err, errno, "cannot list what '%s' has", path);
        for (const char *name = names; name < names + size; name += strlen(name) + 1) {
                if (!is_kept(name))
                        continue;
                r = copy_attribute(from_fd, to_fd, path, name, err);
                if (r < 0)
                        return r;
                *ret_special = true;
        }
        return 0;
}
