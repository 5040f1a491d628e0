#include "device/change.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "device/fit.h"
#include "device/history.h"
#include "device/offer.h"
#include "device/rebuild.h"
#include "device/store.h"
#include "device/suspend.h"
#include "device/transition.h"

/* One change on its way. */
struct task {
        struct su_engine *engine;
        const struct su_change_options *options;
        struct su_change *change;
        uint64_t step_began;
        const char *step;
        uint64_t expected; /* bytes of the present download, 0: unknown */
        bool begun;        /* there is something to change: from here on the history tells of it */
        bool cancelled;    /* the listener asked to stop */
        bool swapping;     /* it is too late for that */
};

void su_change_done(struct su_change *change)
{
        for (size_t i = 0; i < change->n_choices; i++)
                su_choice_done(&change->choices[i]);
        free(change->choices);
        su_refresh_done(&change->refresh);
        su_survey_done(&change->before);
        su_manifest_done(&change->from);
        su_manifest_done(&change->to);
        *change = (struct su_change){0};
}

/* True when the work is to stop. */
static bool tell(struct task *task, uint64_t done, uint64_t total)
{
        const struct su_change_options *options = task->options;

        if (options->listener && options->listener(options->userdata, task->step, done, total))
                task->cancelled = true;
        return task->cancelled && !task->swapping;
}

static int tell_download(void *userdata, uint64_t done, struct su_error *err)
{
        struct task *task = userdata;

        /* That nothing has come yet is told as a beginning already. */
        if (tell(task, done > 0 ? done : 1, done > 0 ? task->expected : 0))
                return su_fail(err, SU_ERROR_CANCELLED, "cancelled");
        return 0;
}

static bool tell_rebuild(void *userdata, uint64_t done, uint64_t total)
{
        return tell(userdata, done > 0 ? done : 1, total);
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
        task->step = name;
        task->expected = 0;
        (void)tell(task, 0, 0);
}

static int check_cancelled(const struct task *task, struct su_error *err)
{
        return task->cancelled ? su_fail(err, SU_ERROR_CANCELLED,
                                         "cancelled: what is on /usr stays as it is")
                               : 0;
}

static const struct su_manifest *manifest_or_null(const struct su_manifest *manifest)
{
        return manifest->baseline ? manifest : NULL;
}

static int mend(struct task *task, struct su_error *err)
{
        return task->options->dry_run
                       ? 0
                       : su_transition_mend(task->engine, manifest_or_null(&task->change->from),
                                            err);
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
        r = su_suspend_check(engine, err);
        if (r < 0)
                return r;
        if (engine->mounted == 0)
                return mend(task, err);
        r = su_store_load_generation(engine->state_fd, engine->mounted, &generation, err);
        if (r >= 0)
                r = su_store_load_generation_manifest(engine->state_fd, &generation, &change->from,
                                                      err);
        if (r < 0)
                return r;
        change->from_level = generation.level;
        return mend(task, err);
}

/* What the package manager has replaced since is left out; any other file that is not the expected
 * one is the device's trouble, and refused. */
static int find_fit(struct task *task, int base_fd, struct su_component *component,
                    struct su_error *err)
{
        struct su_fit_report report;
        int r;

        r = su_fit_find(task->engine->root, base_fd, component, &report, err);
        if (r < 0)
                return r;
        component->fit = report.fit;
        if (report.fit != SU_FIT_SUPERSEDED || report.by_package)
                return 0;
        if (err)
                *err = report.why;
        return -report.why.errnum;
}

/* What a component's image still needs; nothing when it is in the store already. */
static int plan_image(struct task *task, int base_fd, struct su_component *component,
                      struct su_choice *choice, struct su_error *err)
{
        struct su_engine *engine = task->engine;
        su_auto_close int image_fd = -EBADF;
        int r;

        r = find_fit(task, base_fd, component, err);
        if (r < 0)
                return r;
        choice->component = component;
        if (component->fit != SU_FIT_APPLIES)
                return 0;
        if (su_store_open_image(engine->state_fd, &component->image, &image_fd, NULL) >= 0)
                return 0;
        r = su_choice_find(engine->state_fd, base_fd, choice, err);
        if (r < 0)
                return r;
        task->change->download_bytes += choice->delta->object.size;
        task->change->image_bytes += component->image.size;
        return 0;
}

static int plan_images(struct task *task, int base_fd, struct su_error *err)
{
        struct su_change *change = task->change;
        struct su_manifest *manifest = &change->to;
        int r = 0;

        change->choices = calloc(manifest->n_components + 1, sizeof *change->choices);
        if (!change->choices)
                return su_fail_oom(err);
        for (size_t i = 0; i < manifest->n_components && r >= 0; i++)
                r = plan_image(task, base_fd, &manifest->components[i],
                               &change->choices[change->n_choices++], err);
        if (r >= 0 && su_manifest_count_applying(manifest) == 0)
                r = su_fail(err, SU_ERROR_NOT_OFFERED,
                            "level (%s) has nothing for this system: the package manager has newer "
                            "files of all that it fixes",
                            manifest->level.name);
        if (r >= 0)
                r = su_rebuild_check_space(task->engine->state_fd, change->download_bytes,
                                           change->image_bytes, err);
        return r;
}

static int make_image(struct task *task, int base_fd, const struct su_choice *choice,
                      struct su_error *err)
{
        const struct su_rebuild_watch watch = {tell_rebuild, task};
        struct su_engine *engine = task->engine;
        su_auto_close int patch_fd = -EBADF;
        int r;

        begin_step(task, "download");
        task->expected = choice->delta->object.size;
        r = su_rebuild_fetch(engine->state_fd, engine->fetch, choice->delta, &patch_fd, err);
        if (r < 0)
                return r;
        begin_step(task, "rebuild image");
        return su_rebuild_image(engine->state_fd, base_fd, choice, patch_fd, &watch, err);
}

/* A source has changed since the delta was chosen: the next one does not need it. */
static int choose_again(struct task *task, int base_fd, struct su_choice *choice,
                        const struct su_error *why, struct su_error *err)
{
        int state_fd = task->engine->state_fd;
        int r;

        r = su_rebuild_forget(state_fd, &choice->delta->object, err);
        if (r >= 0)
                r = su_choice_find_next(state_fd, base_fd, choice, why, err);
        if (r < 0)
                return r;
        task->change->download_bytes += choice->delta->object.size;
        return su_rebuild_check_space(state_fd, choice->delta->object.size,
                                      choice->component->image.size, err);
}

static int make_images(struct task *task, int base_fd, struct su_error *err)
{
        struct su_change *change = task->change;

        for (size_t i = 0; i < change->n_choices; i++) {
                struct su_choice *choice = &change->choices[i];
                struct su_error why = {0};
                int r = 0;

                while (choice->delta && (r = make_image(task, base_fd, choice, &why)) < 0) {
                        if (why.code == SU_ERROR_BASELINE)
                                r = choose_again(task, base_fd, choice, &why, err);
                        else if (err)
                                *err = why;
                        if (r < 0)
                                return r;
                }
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

/* The last moment to stop: from here on the change goes to its end. */
static int begin_swap(struct task *task, struct su_error *err)
{
        int r;

        begin_step(task, "swap");
        r = check_cancelled(task, err);
        task->swapping = r >= 0;
        return r;
}

static int swap_in(struct task *task, struct su_error *err)
{
        struct su_change *change = task->change;
        int r;

        r = begin_swap(task, err);
        if (r < 0)
                return r;
        r = su_transition_to(task->engine, manifest_or_null(&change->from), &change->to,
                             &change->generation, &change->swap, err);
        change->changed = r >= 0;
        return r;
}

static int swap_out(struct task *task, struct su_error *err)
{
        struct su_change *change = task->change;
        int r;

        r = begin_swap(task, err);
        if (r < 0)
                return r;
        r = su_transition_to_baseline(task->engine, manifest_or_null(&change->from),
                                      &change->from_level, &change->swap, err);
        change->changed = r >= 0;
        return r;
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

/* A component that could not come back when the package manager was done. */
static bool lacks_image(const struct su_manifest *manifest)
{
        for (size_t i = 0; i < manifest->n_components; i++)
                if (manifest->components[i].fit == SU_FIT_MISSING)
                        return true;
        return false;
}

static int prepare_install(struct task *task, int *ret_base_fd, struct su_error *err)
{
        struct su_change *change = task->change;
        su_auto_offer struct su_offer offer = {0};
        int r;

        begin_step(task, "ask the repository");
        r = su_offer_get(task->engine, &offer, err);
        if (r < 0)
                return r;
        /* Below the level that is there nothing is installed, even if it lacks an image. */
        if (offer.up_to_date && (su_level_compare(&offer.level, &change->from_level) != 0 ||
                                 !lacks_image(&change->from))) {
                change->to_level = change->from_level;
                return 0;
        }
        task->begun = true;
        change->to_level = offer.level;
        change->to = offer.manifest;
        offer.manifest = (struct su_manifest){0};
        begin_step(task, "check the baseline");
        r = su_layers_open_base(task->engine->root, ret_base_fd, err);
        if (r < 0)
                return r;
        return plan_images(task, *ret_base_fd, err);
}

static int install(struct task *task, struct su_error *err)
{
        su_auto_close int base_fd = -EBADF;
        int r;

        r = load_present(task, err);
        if (r >= 0)
                r = prepare_install(task, &base_fd, err);
        if (r < 0 || !task->begun)
                return r;
        if (!task->options->dry_run) {
                r = make_images(task, base_fd, err);
                if (r < 0)
                        return r;
        }
        r = survey_before(task, err);
        if (r < 0 || task->options->dry_run)
                return r < 0 ? r : check_cancelled(task, err);
        r = swap_in(task, err);
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
                return r < 0 ? r : check_cancelled(task, err);
        r = swap_out(task, err);
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
        engine->fetch_progress = tell_download;
        engine->fetch_userdata = &task;
        r = work(&task, &failure);
        end_step(&task);
        /* Whatever went wrong then: programs that were run are interrupted, too. */
        if (r < 0 && !task.swapping && task.cancelled)
                r = check_cancelled(&task, &failure);
        engine->fetch_progress = NULL; /* the task ends here */
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
