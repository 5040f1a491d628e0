/* The verbs install and remove. */
#include <stdio.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/translate.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "device/change.h"
#include "device/watch.h"

static json_t *steps_to_json(const struct su_change *change)
{
        su_auto_json json_t *steps = json_array();

        for (size_t i = 0; i < change->n_steps; i++) {
                const struct su_step *step = &change->steps[i];

                if (json_array_append_new(steps, json_pack("{s:s, s:I, s:I}", "step", step->name,
                                                           "at_us", (json_int_t)step->at_us, "us",
                                                           (json_int_t)step->us)) < 0)
                        return NULL;
        }
        return su_take(steps);
}

/* When the window opens that is waited for: a time, or null. */
static json_t *window_to_json(const struct su_config *config, unsigned waits)
{
        const struct su_restart_policy policy = {.windows = config->conditions.windows};
        int64_t opens = waits & SU_CONDITION_WINDOW ? su_restart_opens(&policy, su_now()) : -1;
        char text[SU_TIME_TEXT_SIZE];

        if (opens < 0)
                return json_null();
        su_time_format(opens, text);
        return json_string(text);
}

static int output_document(const struct su_arguments *arguments, const struct su_engine *engine,
                           const struct su_change *change, struct su_error *err)
{
        su_auto_free char *version = NULL;
        int r;

        r = su_engine_version(engine, &change->to_level, &version, err);
        if (r < 0)
                return r;
        return su_output_result(
                arguments,
                json_pack("{s:b, s:b, s:b, s:b, s:o, s:o, s:s, s:I, s:I, s:I, s:o, s:I, s:I, s:o, "
                          "s:o, s:o, "
                          "s:o, "
                          "s:o, s:o, s:o, s:s, s:b, s:o, s:I, s:o, s:o}",
                          "dry_run", change->dry_run, "changed", change->changed, "staged",
                          change->staged, "recalled", change->recalled, "from",
                          su_output_level(&change->from_level), "to",
                          su_output_level(&change->to_level), "version", version, "generation",
                          (json_int_t)change->generation, "download_bytes",
                          (json_int_t)change->download_bytes, "image_bytes",
                          (json_int_t)change->image_bytes, "deltas", su_output_choices(change),
                          "build_us", (json_int_t)change->swap.build_us, "swap_us",
                          (json_int_t)change->swap.swap_us, "steps", steps_to_json(change),
                          "components", su_output_components(&change->to), "exposed_before",
                          su_output_exposure(&change->before.exposure), "plan",
                          su_output_plan(su_change_plan(change)), "exposed_after",
                          su_output_exposure(&change->refresh.after.exposure), "remaining",
                          su_output_plan(&change->refresh.after.plan), "stale_after",
                          su_output_stale(&change->refresh.after.stale), "needs",
                          su_plan_needs(change->changed ? &change->refresh.after.plan
                                                        : &change->before.plan),
                          "restarted", change->refresh.restarted, "restarts_open",
                          su_output_opens(&change->refresh), "freed_bytes",
                          (json_int_t)change->collected.bytes, "waits",
                          su_conditions_to_json(change->waits), "window_opens",
                          window_to_json(&engine->config, change->waits)),
                err);
}

static void print_exposed(const struct su_change *change, size_t n_processes, size_t n_units)
{
        const size_t n_scanned = change->before.exposure.n_scanned;

        if (change->dry_run)
                (void)printf(su_plural("%zu of %zu processes runs code that is replaced.\n",
                                       "%zu of %zu processes run code that is replaced.\n",
                                       n_processes),
                             n_processes, n_scanned);
        else
                (void)printf(su_plural("%zu of %zu processes ran code that is replaced.\n",
                                       "%zu of %zu processes ran code that is replaced.\n",
                                       n_processes),
                             n_processes, n_scanned);
        if (n_units > 0)
                (void)printf(su_plural("%zu unit has read data that is replaced.\n",
                                       "%zu units have read data that is replaced.\n", n_units),
                             n_units);
}

static void print_plan_of(const struct su_change *change)
{
        const struct su_exposure *exposure = &change->before.exposure;

        if (exposure->n_processes == 0 && change->before.stale.n_units == 0)
                return;
        print_exposed(change, su_exposure_count(exposure), change->before.stale.n_units);
        su_print_plan(su_change_plan(change), "  ");
}

static void print_result(const struct su_change *change, const char *version)
{
        (void)printf(_("This system is now at %s (swapped in %.1f ms).\n"), version,
                     (double)change->swap.swap_us / 1000);
        su_print_refresh(&change->refresh);
}

static void print_waits(const struct su_change *change, const char *version)
{
        if (change->staged)
                (void)printf(_("%s is in the store, and waits to be installed"), version);
        else
                (void)printf(_("%s waits to be downloaded"), version);
        for (size_t i = 0; i < SU_CONDITIONS; i++)
                if (change->waits & 1U << i)
                        (void)printf(": %s", su_condition_wish(1U << i));
        (void)puts(".");
}

static int print_text(const struct su_engine *engine, const struct su_change *change,
                      struct su_error *err)
{
        su_auto_free char *version = NULL;
        int r;

        r = su_engine_version(engine, &change->to_level, &version, err);
        if (r < 0)
                return r;
        if (change->staged || change->waits) {
                print_waits(change, version);
                return 0;
        }
        if (!change->dry_run && !change->changed) {
                (void)printf(_("%s is installed; nothing newer is offered.\n"), version);
                return 0;
        }
        if (change->dry_run)
                (void)printf(_("%s would be put in place: %llu bytes to download, %llu bytes of "
                               "images to rebuild.\n"),
                             version, (unsigned long long)change->download_bytes,
                             (unsigned long long)change->image_bytes);
        su_print_fixes(&change->to, "  ");
        su_print_choices(change, "  ");
        print_plan_of(change);
        if (change->changed)
                print_result(change, version);
        return 0;
}

static int run(const struct su_arguments *arguments,
               int (*change_usr)(struct su_engine *engine, const struct su_change_options *options,
                                 struct su_change *change, struct su_error *err),
               struct su_error *err)
{
        struct su_progress progress = su_progress_for(arguments);
        const struct su_change_options options = {
                .dry_run = arguments->dry_run,
                .unattended = arguments->unattended,
                .force = arguments->force,
                .download_only = arguments->download_only,
                .surroundings = arguments->surroundings,
                .when = arguments->when,
                .listener = su_progress_tell,
                .userdata = &progress,
        };
        su_auto_engine struct su_engine *engine = NULL;
        su_auto_change struct su_change change = {0};
        int r;

        su_interrupt_catch();
        r = su_engine_open(&arguments->engine, &engine, err);
        if (r >= 0)
                r = change_usr(engine, &options, &change, err);
        if (change.changed)
                r = su_watch_verdict(engine, su_progress_tell, &progress, r, err);
        su_progress_end(&progress);
        if (change.not_collected.code != SU_OK)
                (void)fprintf(stderr, "suture: warning: the store is not cleared: %s\n",
                              change.not_collected.message);
        if (r < 0)
                return r;
        r = output_document(arguments, engine, &change, err);
        return r < 0 || arguments->json ? r : print_text(engine, &change, err);
}

int su_verb_install(const struct su_arguments *arguments, struct su_error *err)
{
        return run(arguments, su_install, err);
}

int su_verb_remove(const struct su_arguments *arguments, struct su_error *err)
{
        return run(arguments, su_remove, err);
}
