/* The checks of files as such: whose they are, where, with which rights, how old and how large. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/checks/parts.h"

#define IMAGE_SIZE_MAX (UINT64_C(1) << 30)
#define GROWTH_MAX 8
#define SHRINKING_MAX 4
#define SMALL_FILE (UINT64_C(64) << 10)

/* Places that another mechanism owns, or whose change an improvement's removal would not undo. */
static const struct {
        const char *prefix; /* one that ends without a slash is the file itself */
        const char *why;
} places[] = {
        {"/usr/lib/os-release", "programs parse it, and it names the baseline: it never changes"},
        {"/usr/lib/modules/", "the kernel that runs is not replaced: a full update is"},
        {"/usr/lib/firmware/", "drivers have loaded it before any layer is there"},
        {"/usr/lib/ostree-boot/", "it belongs to the next boot of a full update"},
        {"/usr/lib/systemd/boot/", "the boot loader is copied from it by its own installer"},
        {"/usr/lib/sysimage/", "it is what the package manager knows of the base"},
        {"/usr/lib/sysusers.d/", "it makes accounts, which stay when the improvement is removed"},
        {"/usr/lib/tmpfiles.d/", "it makes files, which stay when the improvement is removed"},
        {"/usr/local/", "it is the administrator's"},
        {"/usr/share/initramfs-tools/", "no initial RAM disk is made anew"},
        {"/usr/lib/dracut/", "no initial RAM disk is made anew"},
        {"/usr/bin/suture", "who puts layers on has to be of the baseline"},
        {"/usr/lib/suture/", "who puts layers on has to be of the baseline"},
};

static bool is_at(const char *path, const char *place)
{
        return su_ends_with(place, "/") ? su_starts_with(path, place) : strcmp(path, place) == 0;
}

int su_check_paths(const struct su_check_subject *subject, struct su_findings *findings,
                   struct su_error *err)
{
        const struct su_component *component = subject->component;
        int r = 0;

        for (size_t i = 0; i < component->n_files && r >= 0; i++)
                for (size_t j = 0; j < SU_ELEMENTS(places) && r >= 0; j++)
                        if (is_at(component->files[i].path, places[j].prefix))
                                r = su_findings_add(
                                        findings, SU_CHECK_PATH, component->files[i].path, err,
                                        "no improvement touches this: %s", places[j].why);
        return r;
}

/* Nobody can answer for that: a device would refuse what is made of it. */
static int check_recorded(const struct su_check_subject *subject,
                          const struct su_changed_file *file, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        struct su_sha256 digest;
        int r;

        r = su_open_in_root(subject->tree_fd, file->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, &fd,
                            err);
        if (r >= 0)
                r = su_sha256_of_fd(fd, file->path, &digest, NULL, err);
        if (r >= 0 && !su_sha256_equal(&digest, &file->before.sha256))
                return su_fail(err, SU_ERROR_BASELINE,
                               "'%s' in the tree has changed since the baseline was recorded",
                               file->path);
        return r;
}

/* The record was made of this very tree: a file that it has, and the record has not, came later. */
int su_check_baseline(const struct su_check_subject *subject, struct su_findings *findings,
                      struct su_error *err)
{
        const struct su_component *component = subject->component;
        int r = 0;

        for (size_t i = 0; i < component->n_files && r >= 0; i++) {
                const struct su_changed_file *file = &component->files[i];

                if (!file->is_new)
                        r = check_recorded(subject, file, err);
                else if (su_check_exists(subject->tree_fd, file->path))
                        r = su_findings_add(findings, SU_CHECK_BASELINE, file->path, err,
                                            "the tree has it, and the baseline's record has not: "
                                            "the tree is not what was recorded");
        }
        return r;
}

static bool has_capability(int fd)
{
        return fd >= 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

static int check_rights_of(const struct su_check_subject *subject,
                           const struct su_changed_file *file, struct su_findings *findings,
                           struct su_error *err)
{
        const struct su_baseline_file *before = su_baseline_find(subject->baseline, file->path);
        const mode_t mode_before = before ? before->mode : 0;
        su_auto_close int before_fd = -EBADF;
        su_auto_close int fd = -EBADF;
        struct stat st;
        int r;

        r = su_open_in_root(subject->staging_fd, file->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, &fd,
                            err);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", file->path);
        (void)su_open_in_root(subject->tree_fd, file->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC,
                              &before_fd, NULL);
        if (st.st_mode & (S_ISUID | S_ISGID) & ~mode_before)
                r = su_findings_add(findings, SU_CHECK_RIGHTS, file->path, err,
                                    "it would run with the rights of its owner or group (mode "
                                    "%04o), which the baseline's does not",
                                    st.st_mode & 07777);
        if (r >= 0 && (st.st_mode & S_IWOTH & ~mode_before))
                r = su_findings_add(findings, SU_CHECK_RIGHTS, file->path, err,
                                    "everybody could write to it (mode %04o)", st.st_mode & 07777);
        if (r >= 0 && has_capability(fd) && !has_capability(before_fd))
                r = su_findings_add(findings, SU_CHECK_RIGHTS, file->path, err,
                                    "it would have capabilities, which the baseline's has not");
        return r;
}

int su_check_rights(const struct su_check_subject *subject, struct su_findings *findings,
                    struct su_error *err)
{
        const struct su_component *component = subject->component;
        int r = 0;

        for (size_t i = 0; i < component->n_files && r >= 0; i++)
                if (!component->files[i].is_gone)
                        r = check_rights_of(subject, &component->files[i], findings, err);
        return r;
}

static int time_of(int root_fd, const char *path, int64_t *ret, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        struct stat st;
        int r = su_open_in_root(root_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, &fd, err);

        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", path);
        *ret = st.st_mtim.tv_sec;
        return 0;
}

/* A file's time is that of its source (SOURCE_DATE_EPOCH) where builds are reproducible, and of the
 * build elsewhere. Trees of image-based systems have none. */
int su_check_dates(const struct su_check_subject *subject, struct su_findings *findings,
                   struct su_error *err)
{
        const struct su_component *component = subject->component;
        int r = 0;

        for (size_t i = 0; i < component->n_files && r >= 0; i++) {
                const struct su_changed_file *file = &component->files[i];
                int64_t before;
                int64_t after;

                if (file->is_new || file->is_gone)
                        continue;
                r = time_of(subject->tree_fd, file->path, &before, err);
                if (r >= 0)
                        r = time_of(subject->staging_fd, file->path, &after, err);
                if (r < 0 || before <= 1 || after <= 1 || after >= before)
                        continue;
                r = su_findings_add(findings, SU_CHECK_DATE, file->path, err,
                                    "it is %" PRId64 " days older than the baseline's: an older "
                                    "branch may have been built",
                                    (before - after + 86399) / 86400);
        }
        return r;
}

int su_check_sizes(const struct su_check_subject *subject, struct su_findings *findings,
                   struct su_error *err)
{
        const struct su_component *component = subject->component;
        uint64_t sum = 0;
        int r = 0;

        for (size_t i = 0; i < component->n_files && r >= 0; i++) {
                const struct su_changed_file *file = &component->files[i];
                const uint64_t before = file->before.size;
                const uint64_t after = file->after.size;

                sum += after;
                if (file->is_new || file->is_gone || (before < SMALL_FILE && after < SMALL_FILE))
                        continue;
                if (after / GROWTH_MAX > before || before / SHRINKING_MAX > after)
                        r = su_findings_add(findings, SU_CHECK_SIZE, file->path, err,
                                            "it has %" PRIu64 " bytes, and the baseline's has "
                                            "%" PRIu64 ": that is hardly a fix",
                                            after, before);
        }
        if (r >= 0 && sum > IMAGE_SIZE_MAX)
                r = su_findings_add(findings, SU_CHECK_SIZE, "/usr", err,
                                    "all files together have %" PRIu64 " bytes; an improvement of "
                                    "more than %" PRIu64 " is a full update",
                                    sum, IMAGE_SIZE_MAX);
        return r;
}
