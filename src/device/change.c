#include "device/change.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "device/history.h"
#include "device/offer.h"
#include "device/rebuild.h"
#include "device/store.h"

/* One change on its way. */
struct task {
        struct su_engine *engine;
        const struct su_change_options *options;
        struct su_change *change;
        uint64_t step_began;
        bool begun; /* there is something to change: from here on the history tells of it */
};

void su_change_done(struct su_change *change)
{
        su_refresh_done(&change->refresh);
        su_survey_done(&change->before);
        su_manifest_done(&change->from);
        su_manifest_done(&change->to);
        *change = (struct su_change){0};
}

static void end_step(struct task *task)
{
        struct su_change *change = task->change;

        if (change->n_steps > 0)
                change->steps[change->n_steps - 1].us = su_monotonic_us() - task->step_began;
}

static void begin_step(struct task *task, const char *name)
{
        struct su_change *change = task->change;

        end_step(task);
        if (change->n_steps < SU_STEPS_MAX)
                change->steps[change->n_steps++] =
                        (struct su_step){.name = name, .at_us = su_now_us()};
        task->step_began = su_monotonic_us();
        if (task->options->listener)
                task->options->listener(task->options->userdata, name);
}

static const struct su_manifest *manifest_or_null(const struct su_manifest *manifest)
{
        return manifest->baseline ? manifest : NULL;
}

/* The manifest of what lies on /usr now. */
static int load_present(struct task *task, struct su_error *err)
{
        struct su_engine *engine = task->engine;
        struct su_change *change = task->change;
        su_auto_generation struct su_generation generation = {0};
        int r;

        if (engine->conflict.code != SU_OK) {
                if (err)
                        *err = engine->conflict;
                return -engine->conflict.errnum;
        }
        if (engine->mounted == 0)
                return 0;
        r = su_store_load_generation(engine->state_fd, engine->mounted, &generation, err);
        if (r >= 0)
                r = su_store_load_manifest(engine->state_fd, generation.baseline, &generation.level,
                                           &change->from, err);
        if (r >= 0)
                change->from_level = generation.level;
        return r;
}

/* What an image still needs: NULL when it is in the store already. */
struct part {
        const struct su_component *component;
        const struct su_delta_ref *delta;
};

static int plan_part(struct task *task, int usr_fd, const struct su_component *component,
                     struct part *ret, struct su_error *err)
{
        struct su_engine *engine = task->engine;
        su_auto_close int image_fd = -EBADF;
        int r;

        r = su_rebuild_check_baseline(usr_fd, component, err);
        if (r < 0)
                return r;
        *ret = (struct part){.component = component};
        if (su_store_open_image(engine->state_fd, &component->image, &image_fd, NULL) >= 0)
                return 0;
        r = su_rebuild_choose_delta(usr_fd, component, &ret->delta, err);
        if (r < 0)
                return r;
        task->change->download_bytes += ret->delta->object.size;
        task->change->image_bytes += component->image.size;
        return 0;
}

static int plan_parts(struct task *task, int usr_fd, struct part **ret, struct su_error *err)
{
        const struct su_manifest *manifest = &task->change->to;
        su_auto_free struct part *parts = calloc(manifest->n_components + 1, sizeof *parts);
        int r = 0;

        if (!parts)
                return su_fail_oom(err);
        for (size_t i = 0; i < manifest->n_components && r >= 0; i++)
                r = plan_part(task, usr_fd, &manifest->components[i], &parts[i], err);
        if (r >= 0)
                r = su_rebuild_check_space(task->engine->state_fd, task->change->download_bytes,
                                           task->change->image_bytes, err);
        if (r < 0)
                return r;
        *ret = su_take(parts);
        return 0;
}

static int make_images(struct task *task, int usr_fd, const struct part *parts,
                       struct su_error *err)
{
        struct su_engine *engine = task->engine;

        for (size_t i = 0; i < task->change->to.n_components; i++) {
                su_auto_close int patch_fd = -EBADF;
                int r;

                if (!parts[i].delta)
                        continue;
                begin_step(task, "download");
                r = su_rebuild_fetch(engine->state_fd, engine->fetch, parts[i].delta, &patch_fd,
                                     err);
                if (r < 0)
                        return r;
                begin_step(task, "rebuild image");
                r = su_rebuild_image(engine->state_fd, usr_fd, parts[i].component, parts[i].delta,
                                     patch_fd, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int survey_before(struct task *task, struct su_error *err)
{
        struct su_change *change = task->change;

        begin_step(task, "find exposed processes");
        return su_survey_make(task->engine, manifest_or_null(&change->from),
                              manifest_or_null(&change->to), NULL, &change->before, err);
}

/* Written ahead: the generation, then that a transition to it begins. */
static int begin_transition(struct task *task, int64_t generation, struct su_error *err)
{
        struct su_engine *engine = task->engine;
        struct su_state *state = &engine->state;
        int r;

        if (generation > 0) {
                struct su_generation record = {
                        .number = generation,
                        .baseline = engine->os.baseline,
                        .level = task->change->to_level,
                        .created = su_now(),
                };

                r = su_store_save_generation(engine->state_fd, &record, err);
                if (r < 0)
                        return r;
                state->newest = generation;
        }
        state->transition = generation;
        return su_state_save(engine->state_fd, state, err);
}

static int end_transition(struct task *task, int64_t generation, struct su_error *err)
{
        struct su_engine *engine = task->engine;
        struct su_state *state = &engine->state;
        su_auto_free char *baseline = NULL;
        int r = 0;

        if (generation > 0)
                r = su_strdup(engine->os.baseline, &baseline, err);
        if (r < 0)
                return r;
        state->previous = state->active;
        state->active = generation;
        state->transition = SU_GENERATION_NONE;
        state->level = task->change->to_level;
        state->removed = generation > 0 ? (struct su_level){0} : task->change->from_level;
        free(state->baseline);
        state->baseline = su_take(baseline);
        engine->mounted = generation;
        state->waiting_since = 0; /* what waits now waits for this change */
        r = su_moment_now(&state->changed, err);
        if (r < 0)
                return r;
        return su_state_save(engine->state_fd, state, err);
}

static void layers_done(struct su_layer *layers, size_t n_layers)
{
        for (size_t i = 0; i < n_layers; i++)
                su_close_fd(&layers[i].image_fd);
        free(layers);
}

static int put_layers(struct task *task, int64_t generation, struct su_error *err)
{
        struct su_engine *engine = task->engine;
        struct su_change *change = task->change;
        size_t n_layers = 0;
        struct su_layer *layers = calloc(change->to.n_components + 1, sizeof *layers);
        int r = 0;

        if (!layers)
                return su_fail_oom(err);
        for (; n_layers < change->to.n_components && r >= 0; n_layers++) {
                const struct su_component *component = &change->to.components[n_layers];

                layers[n_layers] = (struct su_layer){-EBADF, component->name};
                r = su_store_open_image(engine->state_fd, &component->image,
                                        &layers[n_layers].image_fd, err);
        }
        if (r >= 0)
                r = su_layers_activate(engine->root, layers, n_layers, generation, NULL,
                                       &change->swap, err);
        layers_done(layers, n_layers);
        return r;
}

/* A failed swap left /usr as it was: the transition is off. */
static void cancel_transition(struct task *task)
{
        task->engine->state.transition = SU_GENERATION_NONE;
        (void)su_state_save(task->engine->state_fd, &task->engine->state, NULL);
}

static int swap(struct task *task, int64_t generation, struct su_error *err)
{
        int r;

        begin_step(task, "swap");
        r = begin_transition(task, generation, err);
        if (r < 0)
                return r;
        r = generation > 0 ? put_layers(task, generation, err)
                           : su_layers_deactivate(task->engine->root, &task->change->swap, err);
        if (r < 0) {
                cancel_transition(task);
                return r;
        }
        task->change->changed = true;
        task->change->generation = generation;
        return end_transition(task, generation, err);
}

static int refresh(struct task *task, struct su_error *err)
{
        struct su_change *change = task->change;
        int r;

        begin_step(task, "restart");
        r = su_refresh(task->engine, manifest_or_null(&change->from), manifest_or_null(&change->to),
                       task->options->when, &change->refresh, err);
        end_step(task);
        return r < 0 ? su_fail_prefix(err, r, "the change is in place, but") : 0;
}

static const char *level_or_null(const struct su_level *level)
{
        return level->name[0] ? level->name : NULL;
}

/* The history tells of every change that was begun, and of its end. */
static int record(struct task *task, const char *name, const struct su_error *failure,
                  struct su_error *err)
{
        const struct su_change *change = task->change;
        json_t *event = su_refresh_event(name, failure, &change->refresh);
        json_t *more = json_pack("{s:s?, s:s?, s:b, s:I, s:I, s:I}", "from",
                                 level_or_null(&change->from_level), "to",
                                 level_or_null(&change->to_level), "changed", change->changed,
                                 "generation", (json_int_t)change->generation, "download_bytes",
                                 (json_int_t)change->download_bytes, "exposed_before",
                                 (json_int_t)su_exposure_count(&change->before.exposure));

        if (event && json_object_update_new(event, more) < 0) {
                json_decref(event);
                event = NULL;
        }
        return su_history_append(task->engine->state_fd, event, err);
}

static int prepare_install(struct task *task, int *ret_usr_fd, struct part **ret_parts,
                           struct su_error *err)
{
        struct su_change *change = task->change;
        su_auto_offer struct su_offer offer = {0};
        int r;

        begin_step(task, "ask the repository");
        r = su_offer_get(task->engine, &offer, err);
        if (r < 0)
                return r;
        if (offer.up_to_date) {
                change->to_level = change->from_level;
                return 0;
        }
        task->begun = true;
        change->to_level = offer.level;
        change->to = offer.manifest;
        offer.manifest = (struct su_manifest){0};
        begin_step(task, "check the baseline");
        r = su_layers_open_base(task->engine->root, ret_usr_fd, err);
        if (r < 0)
                return r;
        return plan_parts(task, *ret_usr_fd, ret_parts, err);
}

static int install(struct task *task, struct su_error *err)
{
        struct su_engine *engine = task->engine;
        su_auto_free struct part *parts = NULL;
        su_auto_close int usr_fd = -EBADF;
        int r;

        r = load_present(task, err);
        if (r >= 0)
                r = prepare_install(task, &usr_fd, &parts, err);
        if (r < 0 || !parts)
                return r;
        if (!task->options->dry_run) {
                r = make_images(task, usr_fd, parts, err);
                if (r < 0)
                        return r;
        }
        r = survey_before(task, err);
        if (r < 0 || task->options->dry_run)
                return r;
        r = swap(task, engine->state.newest + 1, err);
        if (r < 0)
                return r;
        return refresh(task, err);
}

static int take_off(struct task *task, struct su_error *err)
{
        int r;

        r = load_present(task, err);
        if (r < 0)
                return r;
        if (task->engine->mounted == 0 && task->engine->state.active == 0)
                return su_fail(err, SU_ERROR_NOT_INSTALLED,
                               "no improvement is installed: there is nothing to remove");
        task->begun = true;
        /* Installed, but not on /usr since the system started: it only has to be forgotten. */
        if (task->engine->mounted == 0)
                task->change->from_level = task->engine->state.level;
        r = survey_before(task, err);
        if (r < 0 || task->options->dry_run)
                return r;
        r = swap(task, 0, err);
        if (r < 0)
                return r;
        return refresh(task, err);
}

static int run(struct su_engine *engine, const char *event,
               int (*work)(struct task *task, struct su_error *err),
               const struct su_change_options *options, struct su_change *change,
               struct su_error *err)
{
        struct task task = {.engine = engine, .options = options, .change = change};
        struct su_error failure = {0};
        int recorded = 0;
        int r;

        change->dry_run = options->dry_run;
        r = work(&task, &failure);
        end_step(&task);
        if (!options->dry_run && task.begun)
                recorded = record(&task, event, r < 0 ? &failure : NULL, r < 0 ? NULL : err);
        if (r < 0 && err)
                *err = failure;
        return r < 0 ? r : recorded;
}

int su_install(struct su_engine *engine, const struct su_change_options *options,
               struct su_change *change, struct su_error *err)
{
        return run(engine, "install", install, options, change, err);
}

int su_remove(struct su_engine *engine, const struct su_change_options *options,
              struct su_change *change, struct su_error *err)
{
        return run(engine, "remove", take_off, options, change, err);
}

const struct su_plan *su_change_plan(const struct su_change *change)
{
        return change->changed ? &change->refresh.plan : &change->before.plan;
}
