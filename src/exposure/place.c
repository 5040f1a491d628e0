#include "exposure/place.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "layers/layers.h"
#include "layers/mountinfo.h"

const char *su_place_name(enum su_place place)
{
        static const char *const names[] = {
                [SU_PLACE_HERE] = "here",           [SU_PLACE_OLD_VIEW] = "old-view",
                [SU_PLACE_SANDBOX] = "sandbox",     [SU_PLACE_CHROOT] = "chroot",
                [SU_PLACE_CONTAINER] = "container",
        };

        return names[place];
}

bool su_place_is_reached(enum su_place place)
{
        return place != SU_PLACE_CHROOT && place != SU_PLACE_CONTAINER;
}

/* "DEVICE PATH" of a path in the file system that `mount` shows. */
static int identify(const struct su_mount *mount, const char *path, char **ret,
                    struct su_error *err)
{
        const char *root = strcmp(mount->root, "/") == 0 ? "" : mount->root;
        const char *rest = path + (strcmp(mount->path, "/") == 0 ? 0 : strlen(mount->path));

        return su_format(ret, err, "%s %s%s", mount->device, root, rest);
}

static int identify_base(const char *top, char **ret, struct su_error *err)
{
        su_auto_mount_table struct su_mount_table table = {0};
        const struct su_mount *mount;
        int r;

        if (access(top, F_OK) < 0 && errno == ENOENT)
                return 0;
        r = su_mount_table_read_self(&table, err);
        if (r >= 0)
                r = su_mount_of_path(&table, top, &mount, err);
        if (r < 0 || !mount)
                return r;
        /* What an overlay of ours lies on is its parent. */
        while (su_layers_generation(mount) > 0) {
                const struct su_mount *parent = su_mount_find(&table, mount->parent);

                if (!parent)
                        break;
                mount = parent;
        }
        return identify(mount, top, ret, err);
}

static int identify_bases(const char *root, struct su_tree_view *view, struct su_error *err)
{
        for (enum su_hierarchy hierarchy = SU_USR; hierarchy < SU_HIERARCHIES; hierarchy++) {
                su_auto_free char *top = NULL;
                int r;

                r = su_format(&top, err, "%s%s", strcmp(root, "/") == 0 ? "" : root,
                              su_hierarchy_path(hierarchy));
                if (r >= 0)
                        r = identify_base(top, &view->bases[hierarchy], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int su_tree_view_make(const char *root, struct su_tree_view *ret, struct su_error *err)
{
        su_auto_tree_view struct su_tree_view view = {0};
        su_auto_free char *usr = NULL;
        struct stat own;
        int r;

        r = su_format(&usr, err, "%s/usr", strcmp(root, "/") == 0 ? "" : root);
        if (r < 0)
                return r;
        if (stat(root, &view.root) < 0 || stat(usr, &view.usr) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", usr);
        if (stat("/proc/self/ns/mnt", &own) < 0)
                return su_fail_errno(err, errno, "cannot look at /proc/self/ns/mnt");
        view.mount_namespace = own.st_ino;
        r = identify_bases(root, &view, err);
        if (r < 0)
                return r;
        *ret = view;
        view = (struct su_tree_view){0};
        return 0;
}

void su_tree_view_done(struct su_tree_view *view)
{
        for (size_t i = 0; i < SU_HIERARCHIES; i++)
                free(view->bases[i]);
        *view = (struct su_tree_view){0};
}

/* The mount that shows `path` to a process: the last of those with the longest mount point. */
static const struct su_mount *find_covering(const struct su_mount_table *table, const char *path)
{
        const struct su_mount *found = NULL;

        for (size_t i = 0; i < table->n_mounts; i++) {
                const struct su_mount *mount = &table->mounts[i];

                if (su_path_is_below(path, mount->path) &&
                    (!found || strlen(mount->path) >= strlen(found->path)))
                        found = mount;
        }
        return found;
}

/* What `path` is in the base: "DEVICE PATH"; NULL when no base has it. */
static int identify_in_base(const struct su_tree_view *view, const char *path, char **ret,
                            struct su_error *err)
{
        for (enum su_hierarchy hierarchy = SU_USR; hierarchy < SU_HIERARCHIES; hierarchy++) {
                const char *top = su_hierarchy_path(hierarchy);

                if (view->bases[hierarchy] && su_path_is_below(path, top))
                        return su_format(ret, err, "%s%s", view->bases[hierarchy],
                                         path + strlen(top));
        }
        return 0;
}

/* Whether a process, in a root of its own, has this tree's file at `path`, now's or a former one.
 */
static int shows_our_file(const struct su_tree_view *view, int process_fd, const char *path,
                          bool *ret, struct su_error *err)
{
        su_auto_mount_table struct su_mount_table table = {0};
        su_auto_free char *theirs = NULL;
        su_auto_free char *ours = NULL;
        const struct su_mount *mount;
        int r;

        *ret = false;
        if (su_mount_table_read(process_fd, &table, NULL) < 0)
                return 0; /* it ended */
        mount = find_covering(&table, path);
        if (!mount)
                return 0;
        r = identify(mount, path, &theirs, err);
        if (r >= 0)
                r = identify_in_base(view, path, &ours, err);
        if (r < 0)
                return r;
        *ret = su_layers_generation(mount) > 0 || (ours && strcmp(ours, theirs) == 0);
        return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int su_place_find(const struct su_tree_view *view, int process_fd, const char *path,
                  enum su_place *ret, struct su_error *err)
{
        struct stat root;
        struct stat usr;
        struct stat mounts;
        bool ours;
        int r;

        *ret = SU_PLACE_HERE;
        if (fstatat(process_fd, "root", &root, 0) < 0 ||
            fstatat(process_fd, "ns/mnt", &mounts, 0) < 0)
                return 0;
        if (same_file(&root, &view->root)) {
                if (fstatat(process_fd, "root/usr", &usr, 0) == 0 && usr.st_dev != view->usr.st_dev)
                        *ret = SU_PLACE_OLD_VIEW;
                return 0;
        }
        r = shows_our_file(view, process_fd, path, &ours, err);
        if (r < 0)
                return r;
        *ret = ours                                     ? SU_PLACE_SANDBOX
               : mounts.st_ino != view->mount_namespace ? SU_PLACE_CONTAINER
                                                        : SU_PLACE_CHROOT;
        return 0;
}
