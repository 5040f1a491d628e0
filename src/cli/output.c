#include "cli/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/translate.h"
#include "cli/parent.h"
#include "device/fit.h"

int su_output_json(json_t *document, struct su_error *err)
{
        su_auto_json json_t *owned = document;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        if (!owned)
                return su_fail_oom(err);
        r = su_json_pretty(owned, &text, &size, err);
        if (r < 0)
                return r;
        if (fwrite(text, 1, size, stdout) != size)
                return su_fail_errno(err, errno, "cannot write to standard output");
        return 0;
}

json_t *su_output_error(const struct su_error *error)
{
        return json_pack("{s:{s:s, s:s, s:i}}", "error", "name", su_error_name(error->code),
                         "message", error->message, "exit_status",
                         su_error_exit_status(error->code));
}

int su_output_result(const struct su_arguments *arguments, json_t *document, struct su_error *err)
{
        int r = 0;

        if (document)
                r = su_parent_tell_result(arguments->parent, document, err);
        if (r >= 0 && arguments->json)
                return su_output_json(document, err);
        json_decref(document);
        return r;
}

json_t *su_output_level(const struct su_level *level)
{
        return level->name[0] ? json_string(level->name) : json_null();
}

static json_t *process_to_json(const struct su_exposed_process *process)
{
        su_auto_json json_t *codes = json_array();

        for (size_t i = 0; i < process->n_codes; i++) {
                json_t *code = json_pack("{s:s, s:s}", "component", process->codes[i]->component,
                                         "path", process->codes[i]->path);

                if (code)
                        (void)su_json_set_hex(code, "build_id", process->codes[i]->id.bytes,
                                              process->codes[i]->id.size);
                if (json_array_append_new(codes, code) < 0)
                        return NULL;
        }
        return json_pack("{s:i, s:i, s:I, s:s, s:b, s:s, s:s, s:s?, s:s?, s:s?, s:O}", "pid",
                         (int)process->pid, "leader", (int)process->leader, "uid",
                         (json_int_t)process->uid, "command", process->command, "elsewhere",
                         !su_exposed_is_reached(process), "place", su_place_name(process->place),
                         "why", su_exposed_why(process), "unit", process->owner.unit, "user_unit",
                         process->owner.user_unit, "session", process->owner.session, "maps",
                         codes);
}

json_t *su_output_exposure(const struct su_exposure *exposure)
{
        su_auto_json json_t *processes = json_array();

        for (size_t i = 0; i < exposure->n_processes; i++)
                if (json_array_append_new(processes, process_to_json(&exposure->processes[i])) < 0)
                        return NULL;
        return su_take(processes);
}

json_t *su_output_stale(const struct su_stale *stale)
{
        su_auto_json json_t *units = json_array();

        for (size_t i = 0; i < stale->n_units; i++)
                if (json_array_append_new(units,
                                          json_pack("{s:s, s:s, s:s}", "unit", stale->units[i].unit,
                                                    "component", stale->units[i].component, "path",
                                                    stale->units[i].path)) < 0)
                        return NULL;
        return su_take(units);
}

static json_t *action_to_json(const struct su_action *action)
{
        su_auto_json json_t *pids = json_array();

        for (size_t i = 0; i < action->n_pids; i++)
                if (json_array_append_new(pids, json_integer(action->pids[i])) < 0)
                        return NULL;
        return json_pack("{s:s, s:s?, s:s, s:s, s:O}", "action", su_action_kind_name(action->kind),
                         "unit", action->unit, "advice", action->advice, "reason", action->reason,
                         "pids", pids);
}

json_t *su_output_plan(const struct su_plan *plan)
{
        su_auto_json json_t *actions = json_array();

        for (size_t i = 0; i < plan->n_actions; i++)
                if (json_array_append_new(actions, action_to_json(&plan->actions[i])) < 0)
                        return NULL;
        return su_take(actions);
}

const char *su_output_fit(enum su_fit fit)
{
        static const char *const texts[] = {
                [SU_FIT_APPLIES] = N_("applies"),
                [SU_FIT_FIXED] = N_("is fixed by the system's own packages now"),
                [SU_FIT_MISSING] =
                        N_("is not in place, its image is damaged or gone: run 'suture install'"),
                [SU_FIT_SUPERSEDED] =
                        N_("was replaced by other packages, which this improvement does not know"),
        };

        return _(texts[fit]);
}

static json_t *fix_to_json(const struct su_fix *fix)
{
        return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s?}", "id", fix->id, "title", fix->title,
                         "severity", fix->severity, "url", fix->url, "impact", fix->impact,
                         "credit", fix->credit);
}

static json_t *component_to_json(const struct su_component *component)
{
        su_auto_json json_t *fixes = json_array();

        for (size_t i = 0; i < component->n_fixes; i++)
                if (json_array_append_new(fixes, fix_to_json(&component->fixes[i])) < 0)
                        return NULL;
        return json_pack("{s:s, s:s?, s:s, s:s, s:I, s:O}", "name", component->name, "old_version",
                         component->old_version, "new_version", component->new_version, "fit",
                         su_fit_name(component->fit), "files", (json_int_t)component->n_files,
                         "fixes", fixes);
}

json_t *su_output_components(const struct su_manifest *manifest)
{
        su_auto_json json_t *components = json_array();

        for (size_t i = 0; i < manifest->n_components; i++)
                if (json_array_append_new(components, component_to_json(&manifest->components[i])) <
                    0)
                        return NULL;
        return su_take(components);
}

static bool is_said(const char *message, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

static bool is_said(const char *message, const char *format, ...)
{
        su_auto_free char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        return n >= 0 && strcmp(text, message) == 0;
}

int su_output_message(const char *message, const char *version, char **ret, struct su_error *err)
{
        if (is_said(message, "%s is installed; nothing newer is offered", version))
                return su_format(ret, err, _("%s is installed; nothing newer is offered"), version);
        if (is_said(message, "%s is offered", version))
                return su_format(ret, err, _("%s is offered"), version);
        if (is_said(message,
                    "%s is offered; it, or a newer one, was removed here: it waits for a person",
                    version))
                return su_format(ret, err,
                                 _("%s is offered; it, or a newer one, was removed here: it waits "
                                   "for a person"),
                                 version);
        if (is_said(message, "%s is offered; it failed here, and is not installed again by itself",
                    version))
                return su_format(
                        ret, err,
                        _("%s is offered; it failed here, and is not installed again by itself"),
                        version);
        return su_strdup(message, ret, err);
}

static json_t *delta_to_json(const struct su_delta_ref *delta)
{
        return json_pack("{s:I, s:s, s:I}", "bytes", (json_int_t)delta->object.size, "from",
                         su_delta_made_from(delta), "sources", (json_int_t)delta->n_sources);
}

static json_t *passed_to_json(const struct su_passed_delta *passed)
{
        su_auto_json json_t *json = delta_to_json(passed->delta);

        if (json_object_set_new(json, "why", json_string(passed->why.message)) < 0)
                return NULL;
        return su_take(json);
}

static json_t *choice_to_json(const struct su_choice *choice)
{
        su_auto_json json_t *json = delta_to_json(choice->delta);
        su_auto_json json_t *passed = json_array();

        for (size_t i = 0; i < choice->n_passed; i++)
                if (json_array_append_new(passed, passed_to_json(&choice->passed[i])) < 0)
                        return NULL;
        if (json_object_set_new(json, "component", json_string(choice->component->name)) < 0 ||
            json_object_set(json, "passed_over", passed) < 0)
                return NULL;
        return su_take(json);
}

json_t *su_output_choices(const struct su_change *change)
{
        su_auto_json json_t *deltas = json_array();

        for (size_t i = 0; i < change->n_choices; i++)
                if (change->choices[i].delta &&
                    json_array_append_new(deltas, choice_to_json(&change->choices[i])) < 0)
                        return NULL;
        return su_take(deltas);
}

/* "9478 bytes from 4 files of the baseline" */
static void print_delta(const struct su_delta_ref *delta)
{
        (void)printf("%llu bytes", (unsigned long long)delta->object.size);
        if (strcmp(su_delta_made_from(delta), "image") == 0)
                (void)printf(" from the image of an earlier level");
        else if (delta->n_sources > 0)
                (void)printf(" from %zu files of the baseline", delta->n_sources);
        else
                (void)printf(", the whole image");
}

void su_print_choices(const struct su_change *change, const char *indent)
{
        for (size_t i = 0; i < change->n_choices; i++) {
                const struct su_choice *choice = &change->choices[i];

                if (!choice->delta || choice->n_passed == 0)
                        continue;
                (void)printf("%s%s: the delta of ", indent, choice->component->name);
                print_delta(choice->delta);
                (void)puts("");
                for (size_t j = 0; j < choice->n_passed; j++) {
                        (void)printf("%s  not that of ", indent);
                        print_delta(choice->passed[j].delta);
                        (void)printf(": %s\n", choice->passed[j].why.message);
                }
        }
}

/* " (process 7, 8)" */
static void print_pids(const struct su_action *action)
{
        if (action->n_pids == 0)
                return;
        (void)fputs(" (", stdout);
        (void)printf(_("process %d"), (int)action->pids[0]);
        for (size_t i = 1; i < action->n_pids; i++)
                (void)printf(", %d", (int)action->pids[i]);
        (void)putchar(')');
}

void su_print_plan(const struct su_plan *plan, const char *indent)
{
        for (size_t i = 0; i < plan->n_actions; i++) {
                const struct su_action *action = &plan->actions[i];

                (void)printf("%s%s\n%s  ", indent, action->advice, indent);
                /* TRANSLATORS: why something is to be restarted: a sentence that ends here. */
                (void)printf(_("because %s"), action->reason);
                print_pids(action);
                (void)puts("");
        }
}

void su_print_fixes(const struct su_manifest *manifest, const char *indent)
{
        for (size_t i = 0; i < manifest->n_components; i++) {
                const struct su_component *component = &manifest->components[i];

                (void)fputs(indent, stdout);
                (void)printf(su_plural("%s %s, %zu file", "%s %s, %zu files", component->n_files),
                             component->name, component->new_version, component->n_files);
                if (component->fit != SU_FIT_APPLIES)
                        (void)printf(": %s", su_output_fit(component->fit));
                (void)puts("");
                for (size_t j = 0; j < component->n_fixes; j++)
                        (void)printf("%s  %s%s%s\n", indent, component->fixes[j].id,
                                     component->fixes[j].title ? "  " : "",
                                     component->fixes[j].title ? component->fixes[j].title : "");
        }
}

json_t *su_output_opens(const struct su_refresh *refresh)
{
        char at[SU_TIME_TEXT_SIZE];

        if (refresh->opens <= 0)
                return json_null();
        su_time_format(refresh->opens, at);
        return json_string(at);
}

static void print_putting_off(const struct su_refresh *refresh)
{
        char at[SU_TIME_TEXT_SIZE];

        if (refresh->overdue)
                (void)puts(_("Restarts are overdue: the deadline has passed."));
        if (refresh->opens < 0) {
                (void)puts(
                        _("Restarts were put off: no maintenance window opens within eight days."));
        } else if (refresh->opens <= su_now()) {
                (void)puts(_("Restarts were put off: 'suture restart' does them."));
        } else {
                su_time_format(refresh->opens, at);
                (void)printf(
                        _("Restarts were put off until the maintenance window opens, at %s.\n"),
                        at);
        }
}

static void say_who_waits(size_t n_processes, size_t n_units)
{
        if (n_processes > 0)
                (void)printf(su_plural("%zu process still runs old code.\n",
                                       "%zu processes still run old code.\n", n_processes),
                             n_processes);
        if (n_units > 0)
                (void)printf(su_plural("%zu unit still uses old data.\n",
                                       "%zu units still use old data.\n", n_units),
                             n_units);
}

void su_print_refresh(const struct su_refresh *refresh)
{
        const struct su_survey *after = &refresh->after;

        if (refresh->opens != 0)
                print_putting_off(refresh);
        if (!su_survey_is_waiting(after)) {
                (void)puts(_("Nothing is running old code."));
                if (after->plan.n_actions == 0)
                        return;
                (void)puts(_("Not reached by it:"));
        } else {
                say_who_waits(su_exposure_count(&after->exposure), after->stale.n_units);
        }
        su_print_plan(&after->plan, "  ");
}

void su_print_restoration(const struct su_restoration *restoration)
{
        static const char *const sentences[] = {
                [SU_RESTORED_ALL] = N_("Background security improvements are on /usr again."),
                [SU_RESTORED_PART] =
                        N_("Background security improvements are on /usr again, but for:"),
                [SU_RESTORED_BASELINE] = N_("No background security improvement applies any more:"),
        };

        (void)puts(_(sentences[restoration->restored]));
        for (size_t i = 0; i < restoration->to.n_components; i++) {
                const struct su_component *component = &restoration->to.components[i];

                if (component->fit != SU_FIT_APPLIES)
                        (void)printf("  %s %s\n", component->name, su_output_fit(component->fit));
        }
}
