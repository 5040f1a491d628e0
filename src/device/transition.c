#include "device/transition.h"

#include <string.h>

#include "base/text.h"
#include "device/generation.h"
#include "device/image_store.h"
#include "layers/mountinfo.h"

size_t su_manifest_count_applying(const struct su_manifest *manifest)
{
        size_t count = 0;

        for (size_t i = 0; i < manifest->n_components; i++)
                count += manifest->components[i].fit == SU_FIT_APPLIES;
        return count;
}

static int begin(struct su_engine *engine, const struct su_manifest *to, int64_t generation,
                 const struct su_level *removed, struct su_error *err)
{
        struct su_state *state = &engine->state;
        int r;

        if (to) {
                r = su_generation_save(engine->state_fd, generation, to, err);
                if (r < 0)
                        return r;
                state->newest = generation;
        }
        su_state_begin(state, generation, removed);
        return su_state_save(engine->state_fd, state, err);
}

static int end(struct su_engine *engine, const struct su_manifest *to, int64_t generation,
               struct su_error *err)
{
        static const struct su_level none = {0};
        su_auto_free char *baseline = NULL;
        int r = 0;

        engine->mounted = generation;
        if (to)
                r = su_strdup(to->baseline, &baseline, err);
        if (r >= 0)
                r = su_state_end(&engine->state, generation, to ? &to->level : &none,
                                 su_take(baseline), err);
        return r < 0 ? r : su_state_save(engine->state_fd, &engine->state, err);
}

static void layers_done(struct su_layer *layers, size_t n_layers)
{
        for (size_t i = 0; i < n_layers; i++)
                su_close_fd(&layers[i].image_fd);
        free(layers);
}

static bool lives_in(const struct su_component *component, enum su_hierarchy hierarchy)
{
        if (component->fit != SU_FIT_APPLIES)
                return false;
        for (size_t i = 0; i < component->n_files; i++)
                if (su_path_is_below(component->files[i].path, su_hierarchy_path(hierarchy)))
                        return true;
        return false;
}

bool su_manifest_lives_in(const struct su_manifest *manifest, enum su_hierarchy hierarchy)
{
        for (size_t i = 0; i < manifest->n_components; i++)
                if (lives_in(&manifest->components[i], hierarchy))
                        return true;
        return false;
}

/* Every image is verified over the descriptor that is mounted. */
static int put_layers_on(struct su_engine *engine, enum su_hierarchy hierarchy,
                         const struct su_manifest *manifest, int64_t generation,
                         struct su_swap_times *ret_times, struct su_error *err)
{
        struct su_layer *layers = calloc(manifest->n_components + 1, sizeof *layers);
        size_t n_layers = 0;
        int r = 0;

        if (!layers)
                return su_fail_oom(err);
        for (size_t i = 0; i < manifest->n_components && r >= 0; i++) {
                const struct su_component *component = &manifest->components[i];
                struct su_layer *layer = &layers[n_layers];

                if (!lives_in(component, hierarchy))
                        continue;
                *layer = (struct su_layer){-EBADF, component->name};
                n_layers++;
                r = su_image_store_open(engine->state_fd, &component->image, &layer->image_fd, err);
        }
        if (r >= 0)
                r = su_layers_activate(engine->root, hierarchy, layers, n_layers, generation, NULL,
                                       ret_times, err);
        layers_done(layers, n_layers);
        return r;
}

/* NULL: the baseline. */
static int put_opt(struct su_engine *engine, const struct su_manifest *manifest, int64_t generation,
                   struct su_error *err)
{
        int r;

        if (manifest && su_manifest_lives_in(manifest, SU_OPT))
                r = put_layers_on(engine, SU_OPT, manifest, generation, NULL, err);
        else
                r = su_layers_deactivate(engine->root, SU_OPT, NULL, err);
        if (r >= 0)
                engine->opt_mounted =
                        manifest && su_manifest_lives_in(manifest, SU_OPT) ? generation : 0;
        return r;
}

/* /opt first: what lies on /usr says whether a swap took place, and /opt is mended to match it. */
static int put_layers(struct su_engine *engine, const struct su_manifest *manifest,
                      int64_t generation, struct su_swap_times *ret_times, struct su_error *err)
{
        int r;

        r = put_opt(engine, manifest, generation, err);
        return r < 0 ? r : put_layers_on(engine, SU_USR, manifest, generation, ret_times, err);
}

bool su_transition_is_whole(const struct su_engine *engine, const struct su_manifest *manifest)
{
        int64_t wanted = manifest && su_manifest_lives_in(manifest, SU_OPT) ? engine->mounted : 0;

        return engine->opt_mounted == wanted;
}

int su_transition_mend(struct su_engine *engine, const struct su_manifest *manifest,
                       struct su_error *err)
{
        if (su_transition_is_whole(engine, manifest))
                return 0;
        return put_opt(engine, manifest, engine->mounted, err);
}

/* A swap failed. Where it failed after its last step, it took place all the same: what lies on /usr
 * says so. Returns `r`. */
static int settle_failure(struct su_engine *engine, const struct su_manifest *from,
                          const struct su_manifest *to, int64_t generation, int r)
{
        int64_t mounted = -1;

        (void)su_layers_mounted(engine->root, SU_USR, &mounted, NULL);
        if (mounted == generation) {
                (void)end(engine, to, generation, NULL);
                return r;
        }
        (void)su_transition_mend(engine, from, NULL);
        su_state_give_up(&engine->state);
        (void)su_state_save(engine->state_fd, &engine->state, NULL);
        return r;
}

int su_transition_to(struct su_engine *engine, const struct su_manifest *from,
                     const struct su_manifest *to, int64_t *ret_generation,
                     struct su_swap_times *ret_times, struct su_error *err)
{
        int64_t generation = engine->state.newest + 1;
        int r;

        r = begin(engine, to, generation, NULL, err);
        if (r < 0)
                return r;
        r = put_layers(engine, to, generation, ret_times, err);
        if (r < 0)
                return settle_failure(engine, from, to, generation, r);
        *ret_generation = generation;
        return end(engine, to, generation, err);
}

int su_transition_to_baseline(struct su_engine *engine, const struct su_manifest *from,
                              const struct su_level *removed, struct su_swap_times *ret_times,
                              struct su_error *err)
{
        int r;

        r = begin(engine, NULL, 0, removed, err);
        if (r < 0)
                return r;
        r = put_opt(engine, NULL, 0, err);
        if (r >= 0)
                r = su_layers_deactivate(engine->root, SU_USR, ret_times, err);
        if (r < 0)
                return settle_failure(engine, from, NULL, 0, r);
        return end(engine, NULL, 0, err);
}

int su_transition_retire(struct su_engine *engine, const struct su_manifest *manifest,
                         struct su_error *err)
{
        int64_t generation = engine->state.newest + 1;
        int r;

        r = su_generation_save(engine->state_fd, generation, manifest, err);
        if (r < 0)
                return r;
        engine->state.newest = engine->state.retired = generation;
        return su_transition_to_baseline(engine, NULL, NULL, NULL, err);
}

int su_transition_restore(struct su_engine *engine, const struct su_manifest *manifest,
                          int64_t number, struct su_error *err)
{
        int r;

        r = put_layers(engine, manifest, number, NULL, err);
        if (r >= 0)
                engine->mounted = number;
        return r;
}
