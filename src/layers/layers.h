/* The one overlay on /usr (and one on /opt, where a component lives there): the baseline's own
 * files below, sealed images above.
 *
 * A new overlay is built out of sight, in a private mount namespace, always over the original base;
 * then it is put beneath the present one, which is detached: no open() ever fails and none sees the
 * bare base in between (Linux 6.5; before, the new one is stacked on top). File systems that are
 * mounted below /usr are carried over.
 *
 * `root` is the path of an OS tree, "/" for the running one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "layers/mountinfo.h"

enum su_hierarchy { SU_USR, SU_OPT };
#define SU_HIERARCHIES 2

/* "/usr", "/opt" */
const char *su_hierarchy_path(enum su_hierarchy hierarchy);

struct su_layer {
        int image_fd; /* verified by the caller over this very descriptor */
        const char *name;
};

/* Keep to the ways of older kernels, which are probed for at run time; for tests. */
struct su_swap_options {
        bool never_beneath; /* before 6.5: the new overlay is stacked on the present one */
        bool never_append;  /* before 6.7: the layers' paths are one short string */
};

struct su_swap_times {
        uint64_t build_us; /* making the overlay, nothing visible yet */
        uint64_t swap_us;  /* from before the first to after the last call that changes /usr */
};

/* The number of the generation whose overlay lies there; 0: none, or no such directory. CONFLICT,
 * saying which, when something lies there that no overlay can be laid over safely: a merged
 * systemd-sysext or another overlay. */
int su_layers_mounted(const char *root, enum su_hierarchy hierarchy, int64_t *ret_generation,
                      struct su_error *err);

/* The generation whose overlay this mount is; 0: it is none of ours. */
int64_t su_layers_generation(const struct su_mount *mount);

/* The OS tree without any layer: an O_PATH descriptor of its root, for su_open_in_root(). */
int su_layers_open_base(const char *root, int *ret_base_fd, struct su_error *err);

/* Put `layers` (the first is uppermost; all have that directory; none is allowed) there as
 * generation `generation` (> 0). On failure /usr is what it was. `options` and `ret_times` may be
 * NULL. */
int su_layers_activate(const char *root, enum su_hierarchy hierarchy, const struct su_layer *layers,
                       size_t n_layers, int64_t generation, const struct su_swap_options *options,
                       struct su_swap_times *ret_times, struct su_error *err);

/* Back to the bare base. */
int su_layers_deactivate(const char *root, enum su_hierarchy hierarchy,
                         struct su_swap_times *ret_times, struct su_error *err);
