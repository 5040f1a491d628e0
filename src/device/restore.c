#include "device/restore.h"

#include <string.h>

#include "device/fit.h"
#include "device/generation.h"
#include "device/image_store.h"
#include "device/transition.h"

static int load_manifests(struct su_engine *engine, struct su_restoration *restoration,
                          struct su_error *err)
{
        su_auto_generation struct su_generation generation = {0};
        int r;

        r = su_generation_load(engine->state_fd, engine->state.active, &generation, err);
        if (r >= 0)
                r = su_generation_load_manifest(engine->state_fd, &generation, &restoration->from,
                                                err);
        if (r >= 0)
                r = su_generation_load_manifest(engine->state_fd, &generation, &restoration->to,
                                                err);
        return r;
}

/* Another baseline by now: a level of the former one says nothing about it. */
static bool is_of_this_baseline(const struct su_engine *engine, const struct su_manifest *manifest)
{
        return strcmp(manifest->baseline, engine->os.baseline) == 0;
}

/* A component that applies, but whose image is gone or damaged, is missing. */
static int look_for_image(const struct su_engine *engine, const struct su_component *component,
                          enum su_fit *fit, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        if (*fit != SU_FIT_APPLIES)
                return 0;
        r = su_image_store_read(engine->state_fd, &component->image, &fd, err);
        if (su_is_want(r))
                return r;
        if (r < 0)
                *fit = SU_FIT_MISSING;
        return 0;
}

static void supersede_all(struct su_manifest *manifest)
{
        for (size_t i = 0; i < manifest->n_components; i++)
                manifest->components[i].fit = SU_FIT_SUPERSEDED;
}

int su_find_fits(struct su_engine *engine, struct su_manifest *manifest, bool images,
                 bool *ret_changed, struct su_error *err)
{
        su_auto_close int base_fd = -EBADF;
        int r;

        *ret_changed = false;
        if (!is_of_this_baseline(engine, manifest)) {
                supersede_all(manifest);
                *ret_changed = true;
                return 0;
        }
        r = su_layers_open_base(engine->root, &base_fd, err);
        for (size_t i = 0; i < manifest->n_components && r >= 0; i++) {
                struct su_component *component = &manifest->components[i];
                struct su_fit_report report;

                r = su_fit_find(engine->root, base_fd, component, &report, err);
                if (r < 0)
                        return r;
                if (images)
                        r = look_for_image(engine, component, &report.fit, err);
                if (r < 0)
                        return r;
                /* An image that was missing is not looked for each time. */
                if (!images && report.fit == SU_FIT_APPLIES && component->fit == SU_FIT_MISSING)
                        continue;
                *ret_changed |= report.fit != component->fit;
                component->fit = report.fit;
        }
        return r;
}

static int put_all_back(struct su_engine *engine, struct su_restoration *restoration,
                        struct su_error *err)
{
        int r;

        restoration->restored = SU_RESTORED_ALL;
        r = su_transition_restore(engine, &restoration->to, engine->state.active, err);
        if (r < 0) {
                (void)su_transition_mend(engine, NULL, NULL);
                return r;
        }
        /* What was started meanwhile has read the bare base. */
        r = su_moment_now(&engine->state.changed, err);
        engine->state.suspension = (struct su_suspension){0};
        if (r >= 0)
                r = su_state_save(engine->state_fd, &engine->state, err);
        return r < 0 ? su_fail_prefix(err, r, "the layers are on /usr, but") : 0;
}

/* Only what applies, and whose image is whole. `failure`: why all of it could not come back; when
 * it is no image's fault, it stands. */
static int put_part_back(struct su_engine *engine, struct su_restoration *restoration,
                         const struct su_error *failure, struct su_error *err)
{
        int64_t generation;
        bool changed;
        int r;

        r = su_find_fits(engine, &restoration->to, true, &changed, err);
        if (r < 0)
                return r;
        if (failure && !changed) {
                if (err)
                        *err = *failure;
                return -failure->errnum;
        }
        if (su_manifest_count_applying(&restoration->to) == 0) {
                restoration->restored = SU_RESTORED_BASELINE;
                return su_transition_retire(engine, &restoration->to, err);
        }
        restoration->restored = SU_RESTORED_PART;
        return su_transition_to(engine, NULL, &restoration->to, &generation, NULL, err);
}

int su_restore(struct su_engine *engine, struct su_restoration *restoration, struct su_error *err)
{
        struct su_error failure = {0};
        bool changed;
        int r;

        r = load_manifests(engine, restoration, err);
        if (r >= 0)
                r = su_find_fits(engine, &restoration->to, false, &changed, err);
        if (r < 0)
                return r;
        if (changed || su_manifest_count_applying(&restoration->to) == 0)
                return put_part_back(engine, restoration, NULL, err);
        r = put_all_back(engine, restoration, &failure);
        if (r < 0 && engine->mounted == 0 && !su_is_want(r))
                return put_part_back(engine, restoration, &failure, err);
        if (r < 0 && err)
                *err = failure;
        return r;
}

json_t *su_fits_to_json(const struct su_manifest *manifest)
{
        su_auto_json json_t *fits = json_object();

        for (size_t i = 0; i < manifest->n_components; i++)
                if (json_object_set_new(fits, manifest->components[i].name,
                                        json_string(su_fit_name(manifest->components[i].fit))) < 0)
                        return NULL;
        return su_take(fits);
}

void su_restoration_done(struct su_restoration *restoration)
{
        su_manifest_done(&restoration->from);
        su_manifest_done(&restoration->to);
        *restoration = (struct su_restoration){0};
}
