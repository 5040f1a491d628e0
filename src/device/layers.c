#include "device/layers.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "device/mountinfo.h"
#include "device/namespace.h"
#include "device/state.h"
#include "image/mount.h"

#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200
#endif

/* The overlay's name in the mount table; whose it is can be read there by anyone. */
#define SOURCE_PREFIX "suture:"

/* fsconfig(2) takes strings of at most 255 bytes. */
#define LOWERDIR_MAX 255

static int usr_path(const char *root, char **ret, struct su_error *err)
{
        return su_format(ret, err, "%s/usr", strcmp(root, "/") == 0 ? "" : root);
}

static int64_t generation_of(const struct su_mount *mount)
{
        int64_t generation;

        if (strcmp(mount->type, "overlay") != 0 ||
            sscanf(mount->source, SOURCE_PREFIX "%" SCNd64, &generation) != 1)
                return 0;
        return generation;
}

static int find_generation(const char *usr, int64_t *ret, struct su_error *err)
{
        su_auto_mount struct su_mount mount = {0};
        int r;

        r = su_mount_of_path(usr, &mount, err);
        if (r < 0)
                return r;
        *ret = generation_of(&mount);
        if (*ret == 0 && strcmp(mount.path, usr) == 0 && strcmp(mount.type, "overlay") == 0)
                return su_fail(
                        err, SU_ERROR_CONFLICT, "'%s' is already an overlay of another system (%s)",
                        usr, strcmp(mount.source, "sysext") == 0 ? "systemd-sysext" : mount.source);
        return 0;
}

static int refuse_submounts(const char *usr, struct su_error *err)
{
        su_auto_free char *below = NULL;
        int r;

        r = su_mount_find_below(usr, &below, err);
        if (r < 0)
                return r;
        if (below)
                return su_fail(err, SU_ERROR_CONFLICT,
                               "'%s' is a mount of its own; an overlay on %s would hide it", below,
                               usr);
        return 0;
}

int su_layers_mounted(const char *root, int64_t *ret_generation, struct su_error *err)
{
        su_auto_free char *usr = NULL;
        int64_t generation = 0;
        int r;

        r = usr_path(root, &usr, err);
        if (r >= 0)
                r = find_generation(usr, &generation, err);
        if (r >= 0)
                r = refuse_submounts(usr, err);
        if (r >= 0)
                *ret_generation = generation;
        return r;
}

static int peel(const char *usr, struct su_error *err)
{
        for (;;) {
                int64_t generation = 0;
                int r;

                r = find_generation(usr, &generation, err);
                if (r < 0 || generation == 0)
                        return r;
                if (umount2(usr, MNT_DETACH) < 0)
                        return su_fail_errno(err, errno, "cannot detach generation %" PRId64,
                                             generation);
        }
}

static int open_base(void *userdata, int *ret_fd, struct su_error *err)
{
        const char *usr = userdata;
        int r;

        r = peel(usr, err);
        if (r < 0)
                return r;
        return su_dir_open(usr, ret_fd, err);
}

int su_layers_open_base(const char *root, int *ret_usr_fd, struct su_error *err)
{
        su_auto_free char *usr = NULL;
        int r;

        r = usr_path(root, &usr, err);
        if (r < 0)
                return r;
        return su_namespace_run(open_base, usr, ret_usr_fd, err);
}

/* What the builder in the private namespace gets. */
struct recipe {
        const char *root;
        const char *usr;
        const struct su_layer *layers;
        size_t n_layers;
        int64_t generation;
};

/* A scratch tmpfs hides the state directory, in this namespace only; its names are short. */
static int enter_scratch(const char *root, struct su_error *err)
{
        su_auto_free char *path = NULL;
        int r;

        r = su_format(&path, err, "%s%s", strcmp(root, "/") == 0 ? "" : root, SU_STATE_PATH);
        if (r < 0)
                return r;
        if (mount("suture-scratch", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0)
                return su_fail_errno(err, errno, "cannot mount a tmpfs on '%s'", path);
        if (chdir(path) < 0)
                return su_fail_errno(err, errno, "cannot enter '%s'", path);
        return 0;
}

static int attach(int mount_fd, const char *name, struct su_error *err)
{
        if (mkdir(name, 0700) < 0)
                return su_fail_errno(err, errno, "cannot make a mount point");
        if (move_mount(mount_fd, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return su_fail_errno(err, errno, "cannot attach a layer");
        return 0;
}

static int attach_base(const char *usr, struct su_error *err)
{
        su_auto_close int fd = open_tree(AT_FDCWD, usr, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

        if (fd < 0)
                return su_fail_errno(err, errno, "cannot clone '%s'", usr);
        return attach(fd, "base", err);
}

/* Mounts layer i at "i"; `lowerdir` grows by "i/usr:". */
static int attach_layers(const struct recipe *recipe, FILE *lowerdir, struct su_error *err)
{
        for (size_t i = 0; i < recipe->n_layers; i++) {
                su_auto_close int mount_fd = -EBADF;
                char name[24];
                int r;

                r = su_image_mount(recipe->layers[i].image_fd, recipe->layers[i].name,
                                   SU_IMAGE_BACKING_ANY, &mount_fd, NULL, err);
                if (r < 0)
                        return r;
                (void)snprintf(name, sizeof name, "%zu", i);
                r = attach(mount_fd, name, err);
                if (r < 0)
                        return r;
                (void)fprintf(lowerdir, "%s/usr:", name);
        }
        (void)fputs("base", lowerdir);
        return 0;
}

static int create_overlay(const char *lowerdir, int64_t generation, int *ret_fd,
                          struct su_error *err)
{
        su_auto_close int fs_fd = fsopen("overlay", FSOPEN_CLOEXEC);
        char source[32];
        int fd;

        if (fs_fd < 0)
                return su_fail(err, SU_ERROR_UNSUPPORTED,
                               "this kernel has no overlay file system (module 'overlay')");
        (void)snprintf(source, sizeof source, SOURCE_PREFIX "%" PRId64, generation);
        if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", source, 0) < 0 ||
            fsconfig(fs_fd, FSCONFIG_SET_STRING, "lowerdir", lowerdir, 0) < 0 ||
            fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return su_fail_errno(err, errno, "cannot create the overlay");
        fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot mount the overlay");
        *ret_fd = fd;
        return 0;
}

static int build(void *userdata, int *ret_fd, struct su_error *err)
{
        const struct recipe *recipe = userdata;
        su_auto_free char *lowerdir = NULL;
        size_t size = 0;
        FILE *text;
        int r;

        r = peel(recipe->usr, err);
        if (r >= 0)
                r = enter_scratch(recipe->root, err);
        if (r >= 0)
                r = attach_base(recipe->usr, err);
        if (r < 0)
                return r;
        text = open_memstream(&lowerdir, &size);
        if (!text)
                return su_fail_oom(err);
        r = attach_layers(recipe, text, err);
        if (fclose(text) != 0 && r >= 0)
                r = su_fail_oom(err);
        if (r < 0)
                return r;
        if (size > LOWERDIR_MAX)
                return su_fail(err, SU_ERROR_UNSUPPORTED,
                               "%zu layers are more than this version can join", recipe->n_layers);
        return create_overlay(lowerdir, recipe->generation, ret_fd, err);
}

static int move_onto(int overlay_fd, const char *usr, unsigned flags)
{
        return move_mount(overlay_fd, "", AT_FDCWD, usr, MOVE_MOUNT_F_EMPTY_PATH | flags) < 0
                       ? -errno
                       : 0;
}

/* Put the overlay in the place of the one that lies there, or on the bare base. */
static int swap(int overlay_fd, const char *usr, bool replaces, bool never_beneath,
                struct su_error *err)
{
        int r;

        if (replaces && !never_beneath) {
                r = move_onto(overlay_fd, usr, MOVE_MOUNT_BENEATH);
                if (r >= 0) {
                        if (umount2(usr, MNT_DETACH) < 0)
                                return su_fail_errno(err, errno, "cannot detach the old overlay");
                        return 0;
                }
                if (r != -EINVAL)
                        return su_fail_errno(err, r, "cannot put the overlay beneath '%s'", usr);
        }
        r = move_onto(overlay_fd, usr, 0);
        if (r < 0)
                return su_fail_errno(err, r, "cannot put the overlay on '%s'", usr);
        return 0;
}

int su_layers_activate(const char *root, const struct su_layer *layers, size_t n_layers,
                       int64_t generation, const struct su_swap_options *options,
                       struct su_swap_times *ret_times, struct su_error *err)
{
        su_auto_free char *usr = NULL;
        su_auto_close int overlay_fd = -EBADF;
        uint64_t begin = su_monotonic_us();
        int64_t present = 0;
        uint64_t built;
        int r;

        r = usr_path(root, &usr, err);
        if (r >= 0)
                r = su_layers_mounted(root, &present, err);
        if (r < 0)
                return r;
        struct recipe recipe = {root, usr, layers, n_layers, generation};
        r = su_namespace_run(build, &recipe, &overlay_fd, err);
        if (r < 0)
                return r;
        built = su_monotonic_us();
        r = swap(overlay_fd, usr, present > 0, options && options->never_beneath, err);
        if (r < 0)
                return r;
        if (ret_times)
                *ret_times = (struct su_swap_times){built - begin, su_monotonic_us() - built};
        return 0;
}

int su_layers_deactivate(const char *root, struct su_swap_times *ret_times, struct su_error *err)
{
        su_auto_free char *usr = NULL;
        uint64_t begin = su_monotonic_us();
        int r;

        r = usr_path(root, &usr, err);
        if (r >= 0)
                r = peel(usr, err);
        if (r >= 0 && ret_times)
                *ret_times = (struct su_swap_times){0, su_monotonic_us() - begin};
        return r;
}
