#include "device/change.h"

#include <string.h>

#include "device/consent.h"
#include "device/events.h"
#include "device/fallback.h"
#include "device/generation.h"
#include "device/images.h"
#include "device/offer.h"
#include "device/suspend.h"
#include "device/task.h"
#include "device/transition.h"

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

static const struct su_manifest *manifest_or_null(const struct su_manifest *manifest)
{
        return manifest->baseline ? manifest : NULL;
}

static int mend(struct su_task *task, struct su_error *err)
{
        return task->options->dry_run
                       ? 0
                       : su_transition_mend(task->engine, manifest_or_null(&task->change->from),
                                            err);
}

/* The manifest of what lies on /usr now. */
static int load_present(struct su_task *task, struct su_error *err)
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
        r = su_generation_load(engine->state_fd, engine->mounted, &generation, err);
        if (r >= 0)
                r = su_generation_load_manifest(engine->state_fd, &generation, &change->from, err);
        if (r < 0)
                return r;
        change->from_level = generation.level;
        return mend(task, err);
}

static int survey_before(struct su_task *task, struct su_error *err)
{
        struct su_change *change = task->change;

        su_task_begin_step(task, "find exposed processes");
        return su_survey_make(task->engine, manifest_or_null(&change->from),
                              manifest_or_null(&change->to), NULL, &change->before, err);
}

/* Who is to leave a level leaves it, also when nobody can tell who is exposed then: the look
 * afterwards says so. */
static int survey_before_leaving(struct su_task *task, struct su_error *err)
{
        struct su_error failure = {0};
        int r;

        r = survey_before(task, &failure);
        if (r >= 0 || !(task->options->dry_run || su_is_want(r)))
                return 0;
        if (err)
                *err = failure;
        return r;
}

/* The last moment to stop: from here on the change goes to its end. */
static int begin_swap(struct su_task *task, struct su_error *err)
{
        int r;

        su_task_begin_step(task, "swap");
        r = su_task_check_cancelled(task, err);
        task->swapping = r >= 0;
        return r;
}

static int swap_in(struct su_task *task, struct su_error *err)
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

/* `removed`: by a person; else NULL. */
static int swap_out(struct su_task *task, const struct su_level *removed, struct su_error *err)
{
        struct su_change *change = task->change;
        int r;

        r = begin_swap(task, err);
        if (r < 0)
                return r;
        r = su_transition_to_baseline(task->engine, manifest_or_null(&change->from), removed,
                                      &change->swap, err);
        change->changed = r >= 0;
        return r;
}

static int refresh(struct su_task *task, struct su_lookout *lookout, struct su_error *err)
{
        struct su_change *change = task->change;
        int r;

        su_task_begin_step(task, "restart");
        r = su_refresh(task->engine, manifest_or_null(&change->from), manifest_or_null(&change->to),
                       task->options->when, lookout, &change->refresh, err);
        su_task_end_step(task);
        return r < 0 ? su_fail_prefix(err, r, "the change is in place, but") : 0;
}

static const char *level_or_null(const struct su_level *level)
{
        return level->name[0] ? level->name : NULL;
}

/* NULL: because it was offered, or a person wanted it. */
static const char *find_reason(const struct su_task *task)
{
        const struct su_change *change = task->change;
        const struct su_refused *recalled =
                su_refusals_find(&task->engine->state.knowledge.recalls, &change->from_level);

        return change->recalled && recalled ? recalled->reason : task->options->reason;
}

/* That something still waits, in the store or to be downloaded, is not worth a line each day. */
static bool is_worth_a_record(const struct su_task *task, int result)
{
        const struct su_change *change = task->change;

        if (result >= 0 && change->waits && !change->staged)
                return false;
        return task->begun && !task->options->dry_run &&
               (!task->download_only || result < 0 || change->image_bytes > 0);
}

/* The history tells of every change that was begun, and of its end. */
static int record(struct su_task *task, const char *name, const struct su_error *failure,
                  struct su_error *err)
{
        const struct su_change *change = task->change;
        json_t *more = json_pack("{s:s?, s:s?, s:s*, s:s*, s:b, s:I, s:I, s:I}", "from",
                                 level_or_null(&change->from_level), "to",
                                 level_or_null(&change->to_level), "reason", find_reason(task),
                                 "unit", task->options->unit, "changed", change->changed,
                                 "generation", (json_int_t)change->generation, "download_bytes",
                                 (json_int_t)change->download_bytes, "exposed_before",
                                 (json_int_t)su_exposure_count(&change->before.exposure));
        int r;

        r = su_event_record(task->engine,
                            su_event_with(su_refresh_event(name, failure, &change->refresh), more),
                            err);
        return r < 0 && change->changed ? su_fail_prefix(err, r, "the change is in place, but") : r;
}

/* A component that could not come back when the package manager was done. */
static bool lacks_image(const struct su_manifest *manifest)
{
        for (size_t i = 0; i < manifest->n_components; i++)
                if (manifest->components[i].fit == SU_FIT_MISSING)
                        return true;
        return false;
}

/* The same level again is only wanted where it lacks an image; an older one never. */
static bool is_wanted(const struct su_task *task, const struct su_offer *offer)
{
        const struct su_change *change = task->change;

        if (offer->decision.course != SU_COURSE_STAY)
                return true;
        return su_level_compare(&offer->decision.level, &change->from_level) == 0 &&
               lacks_image(&change->from);
}

/* Ask what is to be done, and whether it may. `ret_course` is STAY when nothing is. */
static int ask(struct su_task *task, enum su_course *ret_course, struct su_error *err)
{
        struct su_change *change = task->change;
        su_auto_offer struct su_offer offer = {0};
        int r;

        su_task_begin_step(task, "ask the repository");
        r = su_offer_get(task->engine, &offer, err);
        if (r < 0)
                return r;
        *ret_course = SU_COURSE_STAY;
        change->to_level = change->from_level;
        if (!is_wanted(task, &offer))
                return 0;
        if (task->download_only && offer.decision.course == SU_COURSE_GO_BACK)
                return su_fail(err, SU_ERROR_NOT_OFFERED, "%s: there is nothing to download",
                               offer.message);
        r = su_consent_check(task, &offer, err);
        if (r < 0)
                return r;
        *ret_course =
                offer.decision.course == SU_COURSE_GO_BACK ? SU_COURSE_GO_BACK : SU_COURSE_INSTALL;
        task->begun = true;
        change->recalled = offer.recalled;
        change->to_level = offer.decision.level;
        change->to = offer.manifest;
        offer.manifest = (struct su_manifest){0};
        return 0;
}

/* What has to be downloaded may have to wait. */
static bool waits_to_download(struct su_task *task)
{
        struct su_change *change = task->change;

        if (change->download_bytes == 0 || task->waits_to_download == 0)
                return false;
        change->waits = task->waits_to_download | task->waits_to_install;
        return true;
}

static int obtain_images(struct su_task *task, struct su_error *err)
{
        su_auto_close int base_fd = -EBADF;
        int r;

        su_task_begin_step(task, "check the baseline");
        r = su_layers_open_base(task->engine->root, &base_fd, err);
        if (r >= 0)
                r = su_images_plan(task, base_fd, err);
        if (r >= 0 && !task->options->dry_run && !waits_to_download(task))
                r = su_images_make(task, base_fd, err);
        return r;
}

static int stage(struct su_task *task, struct su_error *err)
{
        struct su_state *state = &task->engine->state;

        if (task->options->dry_run)
                return 0;
        state->knowledge.staged = task->change->to_level;
        task->change->staged = true;
        return su_state_save(task->engine->state_fd, state, err);
}

static int go_forward(struct su_task *task, struct su_error *err)
{
        struct su_change *change = task->change;
        su_auto_lookout struct su_lookout lookout = {0};
        int r;

        r = obtain_images(task, err);
        if (r < 0 || change->waits)
                return r;
        if (task->download_only) {
                change->waits = task->waits_to_install;
                return stage(task, err);
        }
        r = survey_before(task, err);
        if (r < 0 || task->options->dry_run)
                return r < 0 ? r : su_task_check_cancelled(task, err);
        r = su_lookout_prepare(task->engine, &change->before.plan, &change->to, &lookout, err);
        if (r >= 0)
                r = swap_in(task, err);
        return r < 0 ? r : refresh(task, &lookout, err);
}

static int go_back(struct su_task *task, struct su_error *err)
{
        const struct su_level *floor = &task->engine->state.knowledge.floor;
        struct su_change *change = task->change;
        int r;

        r = su_fallback_find(task->engine, &change->from_level, &change->to, err);
        if (r < 0)
                return r;
        /* An image may have become unreadable since it was decided where to go. */
        if (change->recalled && su_level_compare(&change->to.level, floor) < 0)
                return su_fail(err, SU_ERROR_NOT_OFFERED,
                               "level (%s) was recalled, but nothing that is whole here is above "
                               "(%s), the lowest that its publisher allows",
                               change->from_level.name, floor->name);
        change->to_level = change->to.level;
        r = survey_before_leaving(task, err);
        if (r < 0 || task->options->dry_run)
                return r < 0 ? r : su_task_check_cancelled(task, err);
        r = change->to.baseline ? swap_in(task, err) : swap_out(task, NULL, err);
        return r < 0 ? r : refresh(task, NULL, err);
}

/* For status, which is to say why nothing happens. */
static int remember_waits(struct su_task *task, struct su_error *err)
{
        struct su_state *state = &task->engine->state;

        if (state->waits == task->change->waits || task->options->dry_run)
                return 0;
        state->waits = task->change->waits;
        return su_state_save(task->engine->state_fd, state, err);
}

static int install(struct su_task *task, struct su_error *err)
{
        enum su_course course = SU_COURSE_STAY;
        int r;

        if (task->engine->disabled)
                return su_fail(err, SU_ERROR_DISABLED,
                               "this boot is to go without improvements: suture.disable is on the "
                               "kernel's command line");
        r = load_present(task, err);
        if (r >= 0)
                r = ask(task, &course, err);
        if (r >= 0 && course == SU_COURSE_GO_BACK)
                r = go_back(task, err);
        else if (r >= 0 && course == SU_COURSE_INSTALL)
                r = go_forward(task, err);
        return r < 0 || !task->options->unattended ? r : remember_waits(task, err);
}

static int take_back(struct su_task *task, struct su_error *err)
{
        int r;

        r = load_present(task, err);
        if (r >= 0 && task->engine->mounted == 0)
                r = su_fail(err, SU_ERROR_NOT_INSTALLED,
                            "no improvement is on /usr: there is nothing to take back");
        if (r < 0)
                return r;
        task->begun = true;
        return go_back(task, err);
}

/* The letter of another baseline's level means nothing for this one. */
static const struct su_level *find_removed(const struct su_task *task)
{
        const struct su_engine *engine = task->engine;
        const char *baseline = engine->state.baseline;

        return baseline && strcmp(baseline, engine->os.baseline) == 0 ? &task->change->from_level
                                                                      : NULL;
}

static int take_off(struct su_task *task, struct su_error *err)
{
        int r;

        r = load_present(task, err);
        if (r < 0)
                return r;
        if (task->engine->mounted == 0 && task->engine->state.active == 0)
                return su_fail(err, SU_ERROR_NOT_INSTALLED,
                               "no improvement is installed: there is nothing to remove");
        if (task->engine->config.policy.forbids_removal)
                return su_fail(err, SU_ERROR_MANAGED,
                               "this system's administrator does not allow the removal "
                               "(AllowRemoval=)");
        task->begun = true;
        /* Installed, but not on /usr since the system started: it only has to be forgotten. */
        if (task->engine->mounted == 0)
                task->change->from_level = task->engine->state.level;
        r = survey_before_leaving(task, err);
        if (r < 0 || task->options->dry_run)
                return r < 0 ? r : su_task_check_cancelled(task, err);
        r = swap_out(task, find_removed(task), err);
        return r < 0 ? r : refresh(task, NULL, err);
}

/* What the change left behind in the store, and what no level needs any more. */
static void collect(struct su_task *task)
{
        const struct su_engine *engine = task->engine;
        struct su_change *change = task->change;

        (void)su_collect_garbage(engine->state_fd, &engine->state, engine->mounted,
                                 engine->os.baseline, &change->collected, &change->not_collected);
}

static int run(struct su_engine *engine, const char *event,
               int (*work)(struct su_task *task, struct su_error *err),
               const struct su_change_options *options, struct su_change *change,
               struct su_error *err)
{
        struct su_task task = {
                .engine = engine,
                .options = options,
                .change = change,
                .download_only = options->download_only,
        };
        struct su_error failure = {0};
        int recorded = 0;
        int r;

        change->dry_run = options->dry_run;
        engine->fetch_progress = su_task_tell_download;
        engine->fetch_userdata = &task;
        r = work(&task, &failure);
        su_task_end_step(&task);
        /* Whatever went wrong then: programs that were run are interrupted, too. */
        if (r < 0 && !task.swapping && task.cancelled)
                r = su_task_check_cancelled(&task, &failure);
        engine->fetch_progress = NULL; /* the task ends here */
        if (is_worth_a_record(&task, r))
                recorded = record(&task, task.download_only ? "download" : event,
                                  r < 0 ? &failure : NULL, r < 0 ? NULL : err);
        if (!options->dry_run && task.begun && r >= 0)
                collect(&task);
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

int su_take_back(struct su_engine *engine, const struct su_change_options *options,
                 struct su_change *change, struct su_error *err)
{
        return run(engine, "take-back", take_back, options, change, err);
}

const struct su_plan *su_change_plan(const struct su_change *change)
{
        return change->changed ? &change->refresh.plan : &change->before.plan;
}
