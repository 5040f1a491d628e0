#include "sandbox/paths.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/own.h"

/* What the headers of Debian 12 do not have yet: versions 2 to 6. */
#define ACCESS_FS_REFER (UINT64_C(1) << 13)
#define ACCESS_FS_TRUNCATE (UINT64_C(1) << 14)
#define ACCESS_FS_IOCTL_DEV (UINT64_C(1) << 15)
#define ACCESS_NET_BIND_TCP (UINT64_C(1) << 0)
#define ACCESS_NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

struct ruleset {
        uint64_t fs;
        uint64_t net;
        uint64_t scoped;
};

/* What resolving a name, its libraries, and verifying a certificate may want, on the systems that
 * there are. */
static const char *const readable[] = {
        "/etc/resolv.conf",
        "/etc/nsswitch.conf",
        "/etc/hosts",
        "/etc/host.conf",
        "/etc/gai.conf",
        "/etc/services",
        "/etc/protocols",
        "/etc/localtime",
        "/etc/ld.so.cache",
        "/etc/ssl",
        "/etc/pki",
        "/etc/ca-certificates",
        "/etc/crypto-policies",
        "/usr/lib",
        "/usr/lib32",
        "/usr/lib64",
        "/lib",
        "/lib64",
        "/usr/share/ca-certificates",
        "/usr/share/crypto-policies",
        "/usr/share/pki",
        "/usr/local/share/ca-certificates",
        "/run/systemd/resolve",
        "/run/NetworkManager",
        "/run/resolvconf",
        "/run/connman",
        "/dev/null",
        "/dev/urandom",
};

static struct ruleset handled_by(long version)
{
        struct ruleset ruleset = {.fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};

        if (version >= 2)
                ruleset.fs |= ACCESS_FS_REFER;
        if (version >= 3)
                ruleset.fs |= ACCESS_FS_TRUNCATE;
        if (version >= 5)
                ruleset.fs |= ACCESS_FS_IOCTL_DEV;
        if (version >= 4)
                ruleset.net = ACCESS_NET_BIND_TCP | ACCESS_NET_CONNECT_TCP;
        if (version >= 6)
                ruleset.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
        return ruleset;
}

static size_t size_known_by(long version)
{
        if (version < 4)
                return offsetof(struct ruleset, net);
        return version < 6 ? offsetof(struct ruleset, scoped) : sizeof(struct ruleset);
}

/* What cannot be allowed stays forbidden: then the error is that of who wanted to read it. */
static void allow(int ruleset_fd, const char *path)
{
        su_auto_close int fd = open(path, O_PATH | O_CLOEXEC);
        struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
                                                  .parent_fd = fd};
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return;
        if (S_ISDIR(st.st_mode))
                rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
        (void)syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

int su_paths_confine(enum su_worker_kind kind, struct su_error *err)
{
        long version =
                syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        su_auto_close int fd = -EBADF;
        struct ruleset ruleset;

        if (version < 1)
                return 0;
        ruleset = handled_by(version);
        if (kind == SU_WORKER_FETCHES)
                ruleset.net = ACCESS_NET_BIND_TCP * (version >= 4);
        fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size_known_by(version), 0);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot create a Landlock ruleset");
        for (size_t i = 0; kind == SU_WORKER_FETCHES && i < SU_ELEMENTS(readable); i++)
                allow(fd, readable[i]);
        if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
                return su_fail_errno(err, errno, "cannot take away the files by Landlock");
        return 0;
}
