#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/verbs.h"

static bool maps_component(const struct su_exposed_process *process, const char *component)
{
        for (size_t i = 0; i < process->n_codes; i++)
                if (strcmp(process->codes[i]->component, component) == 0)
                        return true;
        return false;
}

/* The processes of this tree that map old code of a component. */
static json_t *exposed_pids(const struct su_review *review, const char *component)
{
        su_auto_json json_t *pids = json_array();

        for (size_t i = 0; i < review->exposure.n_processes; i++) {
                const struct su_exposed_process *process = &review->exposure.processes[i];

                if (!process->elsewhere && maps_component(process, component) &&
                    json_array_append_new(pids, json_integer(process->pid)) < 0)
                        return NULL;
        }
        return su_take(pids);
}

static json_t *fixes_to_json(const struct su_review *review)
{
        su_auto_json json_t *fixes = json_array();

        for (size_t i = 0; i < review->to.n_components; i++) {
                const struct su_component *component = &review->to.components[i];

                for (size_t j = 0; j < component->n_fixes; j++)
                        if (json_array_append_new(
                                    fixes,
                                    json_pack("{s:s, s:s, s:o}", "id", component->fixes[j].id,
                                              "component", component->name, "pids",
                                              exposed_pids(review, component->name))) < 0)
                                return NULL;
        }
        return su_take(fixes);
}

static int print_json(const struct su_review *review, struct su_error *err)
{
        return su_output_json(
                json_pack("{s:o, s:b, s:I, s:o, s:o, s:o}", "level",
                          su_output_level(&review->level), "installed", review->installed,
                          "scanned", (json_int_t)review->exposure.n_scanned, "fixes",
                          fixes_to_json(review), "exposed", su_output_exposure(&review->exposure),
                          "plan", su_output_plan(&review->plan)),
                err);
}

static void print_fixes(const struct su_review *review)
{
        for (size_t i = 0; i < review->to.n_components; i++) {
                const struct su_component *component = &review->to.components[i];
                su_auto_json json_t *pids = exposed_pids(review, component->name);
                size_t count = json_array_size(pids);

                for (size_t j = 0; j < component->n_fixes; j++) {
                        (void)printf("%-16s %-12s ", component->fixes[j].id, component->name);
                        if (count == 0)
                                (void)puts("no process");
                        else
                                (void)printf("%zu process%s\n", count, count == 1 ? "" : "es");
                }
        }
}

static void print_processes(const struct su_review *review)
{
        for (size_t i = 0; i < review->exposure.n_processes; i++) {
                const struct su_exposed_process *process = &review->exposure.processes[i];

                (void)printf("%7d %-15s", (int)process->pid, process->command);
                for (size_t j = 0; j < process->n_codes; j++)
                        (void)printf(" %s", process->codes[j]->path);
                (void)puts(process->elsewhere ? " (in another tree)" : "");
        }
}

static void print_text(const struct su_review *review)
{
        if (!review->level.name[0]) {
                (void)puts("No improvement is known to this system: run 'suture check' first.");
                return;
        }
        if (review->exposure.n_processes == 0) {
                (void)printf("Nothing is running old code (%zu processes looked at).\n",
                             review->exposure.n_scanned);
                print_fixes(review);
                return;
        }
        (void)printf("Level (%s) is %s. Processes that run other code than %s:\n",
                     review->level.name,
                     review->installed     ? "installed"
                     : review->to.baseline ? "offered, not installed"
                                           : "removed",
                     review->to.baseline ? "it brings" : "the baseline's");
        print_processes(review);
        print_fixes(review);
        (void)puts("To end it:");
        su_print_plan(&review->plan, "  ");
}

int su_verb_exposure(const struct su_arguments *arguments, struct su_error *err)
{
        su_auto_engine struct su_engine *engine = NULL;
        su_auto_review struct su_review review = {0};
        int r;

        r = su_engine_open(&arguments->engine, &engine, err);
        if (r >= 0)
                r = su_review_make(engine, &review, err);
        if (r < 0)
                return r;
        if (arguments->json) {
                r = print_json(&review, err);
                if (r < 0)
                        return r;
        } else {
                print_text(&review);
        }
        return su_exposure_count(&review.exposure) > 0 ? SU_EXIT_EXPOSED : 0;
}
