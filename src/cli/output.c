#include "cli/output.h"

#include <stdio.h>

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

void su_output_error_json(const struct su_error *error)
{
        (void)su_output_json(json_pack("{s:{s:s, s:s, s:i}}", "error", "name",
                                       su_error_name(error->code), "message", error->message,
                                       "exit_status", su_error_exit_status(error->code)),
                             NULL);
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
        return json_pack("{s:i, s:s, s:b, s:O}", "pid", (int)process->pid, "command",
                         process->command, "elsewhere", process->elsewhere, "maps", codes);
}

json_t *su_output_exposure(const struct su_exposure *exposure)
{
        su_auto_json json_t *processes = json_array();

        for (size_t i = 0; i < exposure->n_processes; i++)
                if (json_array_append_new(processes, process_to_json(&exposure->processes[i])) < 0)
                        return NULL;
        return su_take(processes);
}

static json_t *action_to_json(const struct su_action *action)
{
        su_auto_json json_t *pids = json_array();

        for (size_t i = 0; i < action->n_pids; i++)
                if (json_array_append_new(pids, json_integer(action->pids[i])) < 0)
                        return NULL;
        return json_pack("{s:s, s:s?, s:s, s:O}", "action", su_action_kind_name(action->kind),
                         "unit", action->unit, "advice", action->advice, "pids", pids);
}

json_t *su_output_plan(const struct su_plan *plan)
{
        su_auto_json json_t *actions = json_array();

        for (size_t i = 0; i < plan->n_actions; i++)
                if (json_array_append_new(actions, action_to_json(&plan->actions[i])) < 0)
                        return NULL;
        return su_take(actions);
}

static json_t *component_to_json(const struct su_component *component)
{
        su_auto_json json_t *fixes = json_array();

        for (size_t i = 0; i < component->n_fixes; i++)
                if (json_array_append_new(fixes, json_pack("{s:s, s:s?, s:s?}", "id",
                                                           component->fixes[i].id, "title",
                                                           component->fixes[i].title, "severity",
                                                           component->fixes[i].severity)) < 0)
                        return NULL;
        return json_pack("{s:s, s:s?, s:s, s:I, s:O}", "name", component->name, "old_version",
                         component->old_version, "new_version", component->new_version, "files",
                         (json_int_t)component->n_files, "fixes", fixes);
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

void su_print_plan(const struct su_plan *plan, const char *indent)
{
        for (size_t i = 0; i < plan->n_actions; i++) {
                const struct su_action *action = &plan->actions[i];

                (void)printf("%s%s (process", indent, action->advice);
                for (size_t j = 0; j < action->n_pids; j++)
                        (void)printf("%s %d", j ? "," : "", (int)action->pids[j]);
                (void)printf(")\n");
        }
}

void su_print_fixes(const struct su_manifest *manifest, const char *indent)
{
        for (size_t i = 0; i < manifest->n_components; i++) {
                const struct su_component *component = &manifest->components[i];

                (void)printf("%s%s %s, %zu files\n", indent, component->name,
                             component->new_version, component->n_files);
                for (size_t j = 0; j < component->n_fixes; j++)
                        (void)printf("%s  %s%s%s\n", indent, component->fixes[j].id,
                                     component->fixes[j].title ? "  " : "",
                                     component->fixes[j].title ? component->fixes[j].title : "");
        }
}
