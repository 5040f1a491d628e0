#include <stdio.h>
#include <string.h>

#include "base/translate.h"
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

        for (size_t i = 0; i < review->survey.exposure.n_processes; i++) {
                const struct su_exposed_process *process = &review->survey.exposure.processes[i];

                if (su_exposed_is_reached(process) && maps_component(process, component) &&
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
        return su_output_json(json_pack("{s:o, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:s}", "level",
                                        su_output_level(&review->level), "installed",
                                        review->installed, "scanned",
                                        (json_int_t)review->survey.exposure.n_scanned, "unread",
                                        (json_int_t)review->survey.exposure.n_unread, "fixes",
                                        fixes_to_json(review), "exposed",
                                        su_output_exposure(&review->survey.exposure), "stale",
                                        su_output_stale(&review->survey.stale), "plan",
                                        su_output_plan(&review->survey.plan), "needs",
                                        su_plan_needs(&review->survey.plan)),
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
                                (void)puts(_("no process"));
                        else
                                (void)printf(su_plural("%zu process\n", "%zu processes\n", count),
                                             count);
                }
        }
}

/* Who it is: a session's program, a container's, or a unit's. */
static void print_owner(const struct su_exposed_process *process)
{
        const struct su_owner *owner = &process->owner;

        if (!su_exposed_is_reached(process))
                (void)printf("%s%s%s", su_place_name(process->place), owner->unit ? " " : "",
                             owner->unit ? owner->unit : "");
        else if (owner->session)
                (void)printf(_("session %s of user %u"), owner->session, (unsigned)process->uid);
        else if (owner->user_unit)
                (void)printf(_("%s of user %u"), owner->user_unit, (unsigned)process->uid);
        else
                (void)printf("%s", owner->unit ? owner->unit : _("no unit"));
}

static void print_processes(const struct su_review *review)
{
        for (size_t i = 0; i < review->survey.exposure.n_processes; i++) {
                const struct su_exposed_process *process = &review->survey.exposure.processes[i];

                (void)printf("%7d %-15s ", (int)process->pid, process->command);
                print_owner(process);
                (void)printf(": %s\n       ", su_exposed_why(process));
                for (size_t j = 0; j < process->n_codes; j++)
                        (void)printf(" %s", process->codes[j]->path);
                (void)puts("");
        }
        for (size_t i = 0; i < review->survey.stale.n_units; i++)
                (void)printf(_("        %s: has read %s, which was replaced since\n"),
                             review->survey.stale.units[i].unit,
                             review->survey.stale.units[i].path);
}

static void print_heading(const struct su_review *review)
{
        const char *level = review->level.name;

        if (!review->to.baseline)
                (void)printf(_("Level (%s) is removed. Processes that run other code than the "
                               "baseline's:\n"),
                             level);
        else if (review->installed)
                (void)printf(_("Level (%s) is installed. Processes that run other code than it "
                               "brings:\n"),
                             level);
        else
                (void)printf(_("Level (%s) is offered, not installed. Processes that run other "
                               "code than it brings:\n"),
                             level);
}

static void print_text(const struct su_review *review)
{
        if (!review->level.name[0]) {
                (void)puts(_("No improvement is known to this system: run 'suture check' first."));
                return;
        }
        if (review->survey.exposure.n_processes == 0 && review->survey.stale.n_units == 0) {
                (void)printf(su_plural("Nothing is running old code (%zu process looked at).\n",
                                       "Nothing is running old code (%zu processes looked at).\n",
                                       review->survey.exposure.n_scanned),
                             review->survey.exposure.n_scanned);
                print_fixes(review);
                return;
        }
        print_heading(review);
        print_processes(review);
        print_fixes(review);
        (void)puts(_("To end it:"));
        su_print_plan(&review->survey.plan, "  ");
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
        return su_survey_is_waiting(&review.survey) ? SU_EXIT_EXPOSED : 0;
}
