#include "publish/tool/trees.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "image/mount.h"

/* UAPI Group, Discoverable Partitions Specification. */
static const struct {
        const char *type;
        const char *at; /* below the tree */
} partition_types[] = {
        {"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", ""},     /* root, x86-64 */
        {"b921b045-1df0-41c3-af44-4c6f280d3fae", ""},     /* root, arm64 */
        {"8484680c-9521-48c6-9c11-b0720656f69e", "/usr"}, /* usr, x86-64 */
        {"b0e01050-ee5f-4390-949a-9101b17104e9", "/usr"}, /* usr, arm64 */
};

#define SECTOR_SIZE 512

/* Mounts of ours are nobody else's. */
static int leave_namespace(struct su_error *err)
{
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return su_fail_errno(err, errno,
                                     "cannot have mounts of its own, which an image "
                                     "needs: run this as root");
        return 0;
}

static int mount_at(const char *image, const char *options, const char *at, struct su_error *err)
{
        su_auto_free char *all = NULL;
        int r;

        r = su_format(&all, err, "ro,nodev,nosuid,loop%s", options);
        if (r < 0)
                return r;
        const char *const argv[] = {"mount", "-o", all, image, at, NULL};
        r = su_process_run(argv, NULL, NULL, err);
        return r < 0 ? su_fail_prefix(err, r, "image '%s'", image) : 0;
}

/* No loop device where the kernel does without. */
static int mount_erofs(const char *image, const char *at, struct su_error *err)
{
        su_auto_close int mount_fd = -EBADF;
        su_auto_close int fd = open(image, O_RDONLY | O_CLOEXEC);
        int r;

        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", image);
        r = su_image_mount(fd, image, SU_IMAGE_BACKING_ANY, &mount_fd, NULL, err);
        if (r < 0)
                return r;
        if (move_mount(mount_fd, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return su_fail_errno(err, errno, "cannot mount '%s'", image);
        return 0;
}

/* What blkid(8) calls it; "" when it knows nothing of that kind in the image. */
static int probe(const char *image, const char *what, char **ret, struct su_error *err)
{
        const char *const argv[] = {"blkid", "-p", "-s", what, "-o", "value", image, NULL};
        int status;
        int r;

        r = su_process_ask(argv, ret, &status, err);
        if (r >= 0)
                (*ret)[strcspn(*ret, "\n")] = '\0';
        return r;
}

/* "START SECTORS TYPE" */
static int mount_partition(const char *image, const char *line, const char *at, bool *ret_mounted,
                           struct su_error *err)
{
        unsigned long long start;
        unsigned long long sectors;
        char type[64];

        if (sscanf(line, "%llu %llu %63s", &start, &sectors, type) != 3)
                return 0;
        for (size_t i = 0; i < SU_ELEMENTS(partition_types); i++) {
                su_auto_free char *options = NULL;
                su_auto_free char *path = NULL;
                int r;

                if (strcasecmp(type, partition_types[i].type) != 0)
                        continue;
                r = su_format(&path, err, "%s%s", at, partition_types[i].at);
                if (r >= 0)
                        r = su_format(&options, err, ",offset=%llu,sizelimit=%llu",
                                      start * SECTOR_SIZE, sectors * SECTOR_SIZE);
                if (r >= 0)
                        r = mount_at(image, options, path, err);
                *ret_mounted = r >= 0;
                return r;
        }
        return 0;
}

/* An image without a root file system has a /usr that is complete in itself. */
static int make_root(const char *at, struct su_error *err)
{
        su_auto_free char *usr = NULL;
        int r;

        if (mount("tmpfs", at, "tmpfs", MS_NODEV | MS_NOSUID, "mode=0755,size=1m") < 0)
                return su_fail_errno(err, errno, "cannot make a root directory");
        r = su_format(&usr, err, "%s/usr", at);
        if (r >= 0 && mkdir(usr, 0755) < 0)
                return su_fail_errno(err, errno, "cannot make '%s'", usr);
        return r;
}

static bool has_root(const char *partitions)
{
        for (size_t i = 0; i < SU_ELEMENTS(partition_types); i++)
                if (partition_types[i].at[0] == '\0' &&
                    strcasestr(partitions, partition_types[i].type))
                        return true;
        return false;
}

static int mount_partitions(const char *image, const char *at, struct su_error *err)
{
        const char *const argv[] = {"partx", "-g", "-r", "-o", "START,SECTORS,TYPE", image, NULL};
        su_auto_free char *partitions = NULL;
        bool mounted = false;
        char *rest = NULL;
        int r;

        r = su_process_run(argv, &partitions, NULL, err);
        if (r >= 0 && !has_root(partitions))
                r = make_root(at, err);
        if (r < 0)
                return r;
        for (char *line = strtok_r(partitions, "\n", &rest); line && r >= 0;
             line = strtok_r(NULL, "\n", &rest))
                r = mount_partition(image, line, at, &mounted, err);
        if (r >= 0 && !mounted)
                return su_fail(err, SU_ERROR_FORMAT,
                               "image '%s' has no partition of the type root or usr", image);
        return r;
}

static int mount_image(const char *image, const char *at, struct su_error *err)
{
        su_auto_free char *table = NULL;
        su_auto_free char *type = NULL;
        int r;

        r = probe(image, "PTTYPE", &table, err);
        if (r >= 0)
                r = probe(image, "TYPE", &type, err);
        if (r < 0)
                return r;
        if (strcmp(table, "gpt") == 0)
                return mount_partitions(image, at, err);
        if (type[0] == '\0')
                return su_fail(err, SU_ERROR_FORMAT,
                               "'%s' is neither a directory nor an image with a file system",
                               image);
        return strcmp(type, "erofs") == 0 ? mount_erofs(image, at, err)
                                          : mount_at(image, "", at, err);
}

static int open_one(const char **path, bool later, bool *left, char **ret, struct su_error *err)
{
        su_auto_free char *at = NULL;
        struct stat st;
        int r;

        /* What is not there is told by whoever wants it. */
        if (!*path || stat(*path, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
                return 0;
        if (later)
                return su_fail(err, SU_ERROR_USAGE,
                               "jobs that are done later would not find '%s': mount it where they "
                               "do",
                               *path);
        r = *left ? 0 : leave_namespace(err);
        if (r < 0)
                return r;
        *left = true;
        r = su_strdup("/tmp/suture-tree.XXXXXX", &at, err);
        if (r < 0)
                return r;
        if (!mkdtemp(at))
                return su_fail_errno(err, errno, "cannot make a directory to mount '%s'", *path);
        *ret = su_take(at);
        r = mount_image(*path, *ret, err);
        if (r >= 0)
                *path = *ret;
        return r;
}

int su_trees_open(struct su_publish_arguments *arguments, struct su_trees *ret,
                  struct su_error *err)
{
        bool left = false;
        int r;

        r = open_one(&arguments->tree, arguments->later, &left, &ret->tree, err);
        return r < 0 ? r : open_one(&arguments->fixed, false, &left, &ret->fixed, err);
}

static void close_tree(char **at)
{
        if (*at) {
                while (umount2(*at, MNT_DETACH) == 0)
                        ;
                (void)rmdir(*at);
        }
        free(*at);
        *at = NULL;
}

void su_trees_done(struct su_trees *trees)
{
        close_tree(&trees->tree);
        close_tree(&trees->fixed);
}
