#include "layers/layers.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"
#include "image/mount.h"
#include "layers/namespace.h"

#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200
#endif

/* The overlay's name in the mount table; whose it is can be read there by anyone. */
#define SOURCE_PREFIX "suture:"

/* fsconfig(2) takes strings of at most 255 bytes. */
#define OPTION_MAX 255

const char *su_hierarchy_path(enum su_hierarchy hierarchy)
{
        static const char *const paths[] = {[SU_USR] = "/usr", [SU_OPT] = "/opt"};

        return paths[hierarchy];
}

static int path_in(const char *root, enum su_hierarchy hierarchy, char **ret, struct su_error *err)
{
        return su_format(ret, err, "%s%s", strcmp(root, "/") == 0 ? "" : root,
                         su_hierarchy_path(hierarchy));
}

int64_t su_layers_generation(const struct su_mount *mount)
{
        int64_t generation;

        if (strcmp(mount->type, "overlay") != 0 ||
            sscanf(mount->source, SOURCE_PREFIX "%" SCNd64, &generation) != 1)
                return 0;
        return generation;
}

static int find_generation(const struct su_mount_table *table, const char *top, int64_t *ret,
                           struct su_error *err)
{
        const struct su_mount *mount;
        int r;

        r = su_mount_of_path(table, top, &mount, err);
        if (r < 0)
                return r;
        *ret = mount ? su_layers_generation(mount) : 0;
        if (mount && *ret == 0 && strcmp(mount->path, top) == 0 &&
            strcmp(mount->type, "overlay") == 0)
                return su_fail(err, SU_ERROR_CONFLICT,
                               "'%s' is already an overlay of another system (%s)", top,
                               strcmp(mount->source, "sysext") == 0 ? "systemd-sysext"
                                                                    : mount->source);
        return 0;
}

/* Visits what is mounted below `top` and can be seen there: all that hangs on the mount that `top`
 * itself lies on. What an overlay hides hangs on the one beneath it. */
typedef int (*submount_visit)(void *userdata, const struct su_mount *mount, struct su_error *err);

static int visit_submounts(const char *top, submount_visit visit, void *userdata,
                           struct su_error *err)
{
        su_auto_mount_table struct su_mount_table table = {0};
        const struct su_mount *on;
        int r;

        r = su_mount_table_read_self(&table, err);
        if (r >= 0)
                r = su_mount_of_path(&table, top, &on, err);
        for (size_t i = 0; r >= 0 && on && i < table.n_mounts; i++) {
                const struct su_mount *mount = &table.mounts[i];

                if (su_path_is_below(mount->path, top) && strcmp(mount->path, top) != 0 &&
                    su_mount_is_below(&table, mount, on->id))
                        r = visit(userdata, mount, err);
        }
        return r;
}

static int refuse_automount(void *userdata, const struct su_mount *mount, struct su_error *err)
{
        (void)userdata;
        if (strcmp(mount->type, "autofs") != 0)
                return 0;
        return su_fail(err, SU_ERROR_CONFLICT,
                       "'%s' is an automount point; an overlay would hide it", mount->path);
}

int su_layers_mounted(const char *root, enum su_hierarchy hierarchy, int64_t *ret_generation,
                      struct su_error *err)
{
        su_auto_mount_table struct su_mount_table table = {0};
        su_auto_free char *top = NULL;
        int64_t generation = 0;
        int r;

        r = path_in(root, hierarchy, &top, err);
        if (r >= 0 && hierarchy != SU_USR && access(top, F_OK) < 0 && errno == ENOENT) {
                *ret_generation = 0;
                return 0;
        }
        if (r >= 0)
                r = su_mount_table_read_self(&table, err);
        if (r >= 0)
                r = find_generation(&table, top, &generation, err);
        if (r >= 0)
                *ret_generation = generation;
        return r;
}

static int peel(const char *top, struct su_error *err)
{
        for (;;) {
                su_auto_mount_table struct su_mount_table table = {0};
                int64_t generation = 0;
                int r;

                r = su_mount_table_read_self(&table, err);
                if (r >= 0)
                        r = find_generation(&table, top, &generation, err);
                if (r < 0 || generation == 0)
                        return r;
                if (umount2(top, MNT_DETACH) < 0)
                        return su_fail_errno(err, errno, "cannot detach generation %" PRId64,
                                             generation);
        }
}

/* A missing hierarchy has no overlay. */
static int peel_if_there(const char *top, struct su_error *err)
{
        return access(top, F_OK) < 0 && errno == ENOENT ? 0 : peel(top, err);
}

static int open_base(void *userdata, int *ret_fd, struct su_error *err)
{
        const char *root = userdata;
        int fd;

        for (enum su_hierarchy hierarchy = SU_USR; hierarchy < SU_HIERARCHIES; hierarchy++) {
                su_auto_free char *top = NULL;
                int r;

                r = path_in(root, hierarchy, &top, err);
                if (r >= 0)
                        r = peel_if_there(top, err);
                if (r < 0)
                        return r;
        }
        /* A copy of the mounts that outlives this namespace. */
        fd = open_tree(AT_FDCWD, root, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot copy the mounts of '%s'", root);
        *ret_fd = fd;
        return 0;
}

int su_layers_open_base(const char *root, int *ret_base_fd, struct su_error *err)
{
        return su_namespace_run(open_base, (void *)root, ret_base_fd, err);
}

/* What is mounted below a hierarchy, as detached copies. */
struct carried {
        struct submount {
                char *path;
                char *device; /* these two say what is mounted */
                char *root;
                int fd;
        } * submounts;
        size_t n;
};

static void carried_done(struct carried *carried)
{
        for (size_t i = 0; i < carried->n; i++) {
                free(carried->submounts[i].path);
                free(carried->submounts[i].device);
                free(carried->submounts[i].root);
                su_close_fd(&carried->submounts[i].fd);
        }
        free(carried->submounts);
}

static int pick_up(void *userdata, const struct su_mount *mount, struct su_error *err)
{
        struct carried *carried = userdata;
        struct submount *submount;
        int r;

        submount = reallocarray(carried->submounts, carried->n + 1, sizeof *submount);
        if (!submount)
                return su_fail_oom(err);
        carried->submounts = submount;
        submount += carried->n++;
        *submount = (struct submount){.fd = -EBADF};
        r = su_strdup(mount->path, &submount->path, err);
        if (r >= 0)
                r = su_strdup(mount->device, &submount->device, err);
        if (r >= 0)
                r = su_strdup(mount->root, &submount->root, err);
        if (r < 0)
                return r;
        submount->fd = open_tree(AT_FDCWD, mount->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (submount->fd < 0)
                return su_fail_errno(err, errno, "cannot carry over '%s'", mount->path);
        return 0;
}

static int put_down(const struct submount *submount, const char *path, struct su_error *err)
{
        if (move_mount(submount->fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return su_fail_errno(err, errno, "cannot carry over '%s'", submount->path);
        return 0;
}

/* What the builder in the private namespace gets. */
struct recipe {
        const char *root;
        const char *top;
        enum su_hierarchy hierarchy;
        const struct su_layer *layers;
        size_t n_layers;
        int64_t generation;
        bool never_append;
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

static int attach_base(const char *top, struct su_error *err)
{
        su_auto_close int fd = open_tree(AT_FDCWD, top, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

        if (fd < 0)
                return su_fail_errno(err, errno, "cannot clone '%s'", top);
        return attach(fd, "base", err);
}

/* Layer i is mounted at "i", and its part of the overlay is "i/usr" or "i/opt". */
static void layer_path(const struct recipe *recipe, size_t i, char ret[static 32])
{
        (void)snprintf(ret, 32, "%zu%s", i, su_hierarchy_path(recipe->hierarchy));
}

/* An overlay without a layer joins the base with nothing, for it wants two. */
static int attach_nothing(const struct recipe *recipe, struct su_error *err)
{
        char path[32];

        layer_path(recipe, 0, path);
        if (mkdir("0", 0700) < 0 || mkdir(path, 0755) < 0)
                return su_fail_errno(err, errno, "cannot make an empty layer");
        return 0;
}

static size_t count_parts(const struct recipe *recipe)
{
        return recipe->n_layers > 0 ? recipe->n_layers : 1;
}

static int attach_layers(const struct recipe *recipe, struct su_error *err)
{
        if (recipe->n_layers == 0)
                return attach_nothing(recipe, err);
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
        }
        return 0;
}

/* One by one (Linux 6.7). */
static int append_layers(int fs_fd, const struct recipe *recipe, struct su_error *err)
{
        for (size_t i = 0; i <= count_parts(recipe); i++) {
                char path[32] = "base";

                if (i < count_parts(recipe))
                        layer_path(recipe, i, path);
                if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "lowerdir+", path, 0) < 0)
                        return su_fail_errno(err, errno, "cannot append the layers");
        }
        return 0;
}

static int join_layers(int fs_fd, const struct recipe *recipe, struct su_error *err)
{
        char option[OPTION_MAX + 1] = "";
        size_t size = 0;

        for (size_t i = 0; i <= count_parts(recipe); i++) {
                char path[32] = "base";
                int n;

                if (i < count_parts(recipe))
                        layer_path(recipe, i, path);
                n = snprintf(option + size, sizeof option - size, "%s%s", i > 0 ? ":" : "", path);
                size += (size_t)n;
                if (size >= sizeof option)
                        return su_fail(err, SU_ERROR_UNSUPPORTED,
                                       "%zu layers are more than this kernel can join",
                                       recipe->n_layers);
        }
        if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "lowerdir", option, 0) < 0)
                return su_fail_errno(err, errno, "cannot join the layers");
        return 0;
}

typedef int (*name_layers)(int fs_fd, const struct recipe *recipe, struct su_error *err);

static int create_by(name_layers name, const struct recipe *recipe, int *ret_fs_fd,
                     struct su_error *err)
{
        su_auto_close int fs_fd = fsopen("overlay", FSOPEN_CLOEXEC);
        char source[32];
        int r;

        if (fs_fd < 0 && errno != ENODEV)
                return su_fail_errno(err, errno, "cannot make an overlay");
        if (fs_fd < 0)
                return su_fail(err, SU_ERROR_UNSUPPORTED,
                               "this kernel has no overlay file system (module 'overlay')");
        (void)snprintf(source, sizeof source, SOURCE_PREFIX "%" PRId64, recipe->generation);
        r = name(fs_fd, recipe, err);
        if (r < 0)
                return r;
        if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", source, 0) < 0 ||
            fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return su_fail_errno(err, errno, "cannot create the overlay");
        *ret_fs_fd = su_take_fd(&fs_fd);
        return 0;
}

/* A kernel that cannot append says EINVAL: some at once, others (6.1) take the option and refuse
 * it only when they create. */
static int create_overlay(const struct recipe *recipe, int *ret_fd, struct su_error *err)
{
        su_auto_close int fs_fd = -EBADF;
        int fd;
        int r = -EINVAL;

        if (!recipe->never_append)
                r = create_by(append_layers, recipe, &fs_fd, err);
        if (r == -EINVAL)
                r = create_by(join_layers, recipe, &fs_fd, err);
        if (r < 0)
                return r;
        fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot mount the overlay");
        *ret_fd = fd;
        return 0;
}

/* The overlay with everything on it that was mounted there, as one detached tree. */
static int load_overlay(const struct recipe *recipe, const struct carried *carried, int *overlay_fd,
                        struct su_error *err)
{
        int fd;
        int r;

        if (carried->n == 0)
                return 0;
        r = attach(*overlay_fd, "overlay", err);
        for (size_t i = 0; i < carried->n && r >= 0; i++) {
                su_auto_free char *path = NULL;

                r = su_format(&path, err, "overlay%s",
                              carried->submounts[i].path + strlen(recipe->top));
                if (r >= 0)
                        r = put_down(&carried->submounts[i], path, err);
        }
        if (r < 0)
                return r;
        fd = open_tree(AT_FDCWD, "overlay", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot take the overlay up again");
        su_close_fd(overlay_fd);
        *overlay_fd = fd;
        return 0;
}

static int build(void *userdata, int *ret_fd, struct su_error *err)
{
        const struct recipe *recipe = userdata;
        su_auto(carried_done) struct carried carried = {0};
        su_auto_close int overlay_fd = -EBADF;
        int r;

        r = visit_submounts(recipe->top, pick_up, &carried, err);
        if (r >= 0)
                r = peel(recipe->top, err);
        if (r >= 0)
                r = enter_scratch(recipe->root, err);
        if (r >= 0)
                r = attach_base(recipe->top, err);
        if (r >= 0)
                r = attach_layers(recipe, err);
        if (r >= 0)
                r = create_overlay(recipe, &overlay_fd, err);
        if (r >= 0)
                r = load_overlay(recipe, &carried, &overlay_fd, err);
        if (r >= 0)
                *ret_fd = su_take_fd(&overlay_fd);
        return r;
}

static int move_onto(int overlay_fd, const char *top, unsigned flags)
{
        return move_mount(overlay_fd, "", AT_FDCWD, top, MOVE_MOUNT_F_EMPTY_PATH | flags) < 0
                       ? -errno
                       : 0;
}

/* Put the overlay in the place of the one that lies there, or on the bare base. */
static int swap(int overlay_fd, const char *top, bool replaces, bool never_beneath,
                struct su_error *err)
{
        int r;

        if (replaces && !never_beneath) {
                r = move_onto(overlay_fd, top, MOVE_MOUNT_BENEATH);
                if (r >= 0) {
                        if (umount2(top, MNT_DETACH) < 0)
                                return su_fail_errno(err, errno, "cannot detach the old overlay");
                        return 0;
                }
                if (r != -EINVAL)
                        return su_fail_errno(err, r, "cannot put the overlay beneath '%s'", top);
        }
        r = move_onto(overlay_fd, top, 0);
        if (r < 0)
                return su_fail_errno(err, r, "cannot put the overlay on '%s'", top);
        return 0;
}

int su_layers_activate(const char *root, enum su_hierarchy hierarchy, const struct su_layer *layers,
                       size_t n_layers, int64_t generation, const struct su_swap_options *options,
                       struct su_swap_times *ret_times, struct su_error *err)
{
        su_auto_free char *top = NULL;
        su_auto_close int overlay_fd = -EBADF;
        uint64_t begin = su_monotonic_us();
        int64_t present = 0;
        uint64_t built;
        int r;

        r = path_in(root, hierarchy, &top, err);
        if (r >= 0)
                r = su_layers_mounted(root, hierarchy, &present, err);
        if (r >= 0)
                r = visit_submounts(top, refuse_automount, NULL, err);
        if (r < 0)
                return r;
        struct recipe recipe = {
                .root = root,
                .top = top,
                .hierarchy = hierarchy,
                .layers = layers,
                .n_layers = n_layers,
                .generation = generation,
                .never_append = options && options->never_append,
        };
        r = su_namespace_run(build, &recipe, &overlay_fd, err);
        if (r < 0)
                return r;
        built = su_monotonic_us();
        r = swap(overlay_fd, top, present > 0, options && options->never_beneath, err);
        if (r < 0)
                return r;
        if (ret_times)
                *ret_times = (struct su_swap_times){built - begin, su_monotonic_us() - built};
        return 0;
}

/* The base has, below the overlay, what was mounted there before the overlay came; what came later
 * is put on the base now. A mount point that only a layer had goes with it. */
static void restore_submounts(const struct carried *carried)
{
        su_auto_mount_table struct su_mount_table table = {0};

        if (carried->n == 0 || su_mount_table_read_self(&table, NULL) < 0)
                return;
        for (size_t i = 0; i < carried->n; i++) {
                const struct submount *submount = &carried->submounts[i];
                const struct su_mount *present;

                if (su_mount_of_path(&table, submount->path, &present, NULL) >= 0 && present &&
                    (strcmp(present->device, submount->device) != 0 ||
                     strcmp(present->root, submount->root) != 0))
                        (void)put_down(submount, submount->path, NULL);
        }
}

int su_layers_deactivate(const char *root, enum su_hierarchy hierarchy,
                         struct su_swap_times *ret_times, struct su_error *err)
{
        su_auto(carried_done) struct carried carried = {0};
        su_auto_free char *top = NULL;
        uint64_t begin = su_monotonic_us();
        int64_t present = 0;
        int r;

        r = path_in(root, hierarchy, &top, err);
        if (r >= 0)
                r = su_layers_mounted(root, hierarchy, &present, err);
        if (r >= 0 && present > 0)
                r = visit_submounts(top, pick_up, &carried, err);
        if (r >= 0 && present > 0)
                r = peel(top, err);
        if (r >= 0)
                restore_submounts(&carried);
        if (r >= 0 && ret_times)
                *ret_times = (struct su_swap_times){0, su_monotonic_us() - begin};
        return r;
}
