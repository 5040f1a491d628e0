#include "improvement/rule.h"

#include <fnmatch.h>
#include <string.h>

#include "base/ini.h"
#include "base/printable.h"
#include "base/text.h"

#define WILDCARDS "*?["

static const char *const action_names[] = {
        [SU_RULE_UNSET] = "",    [SU_RULE_RESTART] = "restart", [SU_RULE_RELOAD] = "reload",
        [SU_RULE_WAIT] = "wait", [SU_RULE_REBOOT] = "reboot",
};

static bool parse_action(const char *text, enum su_rule_action *ret)
{
        for (size_t i = SU_RULE_RESTART; i < SU_ELEMENTS(action_names); i++)
                if (strcmp(action_names[i], text) == 0) {
                        *ret = (enum su_rule_action)i;
                        return true;
                }
        return false;
}

/* Characters that systemd allows in a unit's name, and wildcards. */
bool su_rule_is_unit_pattern(const char *text)
{
        static const char allowed[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                ":-_.\\@" WILDCARDS "]";

        return text[0] != '\0' && strlen(text) <= 255 && strspn(text, allowed) == strlen(text);
}

static bool is_one_service(const char *unit)
{
        return !strpbrk(unit, WILDCARDS "]") && su_ends_with(unit, ".service") &&
               strlen(unit) > strlen(".service");
}

static bool is_data_pattern(const char *text)
{
        return text[0] == '/' && strlen(text) < 4096 && !strstr(text, "/../") &&
               su_is_printable_ascii(text);
}

int su_rules_append(struct su_rules *rules, const char *unit, enum su_rule_action action,
                    struct su_error *err)
{
        struct su_rule *larger;
        struct su_rule rule = {.action = action};
        int r;

        if (rules->n_rules >= SU_RULES_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "more than %d restart rules", SU_RULES_MAX);
        larger = reallocarray(rules->rules, rules->n_rules + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        rules->rules = larger;
        r = su_strdup(unit, &rule.unit, err);
        if (r < 0)
                return r;
        rules->rules[rules->n_rules++] = rule;
        return 0;
}

static int append_data(struct su_rule *rule, const char *pattern, struct su_error *err)
{
        char **larger;
        int r;

        if (rule->n_data >= SU_RULE_DATA_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "more than %d data paths for '%s'",
                               SU_RULE_DATA_MAX, rule->unit);
        larger = reallocarray(rule->data, rule->n_data + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        rule->data = larger;
        r = su_strdup(pattern, &larger[rule->n_data], err);
        if (r < 0)
                return r;
        rule->n_data++;
        return 0;
}

static int visit(void *userdata, const struct su_ini_line *line, struct su_error *err)
{
        struct su_rules *rules = userdata;
        struct su_rule *rule;

        if (!line->key) {
                if (!su_rule_is_unit_pattern(line->section))
                        return su_fail_line(err, line, "'%s' is no unit's name", line->section);
                return su_rules_append(rules, line->section, SU_RULE_UNSET, err);
        }
        rule = &rules->rules[rules->n_rules - 1];
        if (strcmp(line->key, "Action") == 0) {
                if (!parse_action(line->value, &rule->action))
                        return su_fail_line(err, line,
                                            "Action= is restart, reload, wait or reboot");
                return 0;
        }
        if (strcmp(line->key, "Data") != 0)
                return su_fail_line(err, line, "unknown key '%s'", line->key);
        if (!is_one_service(rule->unit))
                return su_fail_line(err, line, "Data= needs a section that names one service");
        if (!is_data_pattern(line->value))
                return su_fail_line(err, line, "Data= is no absolute path: '%s'", line->value);
        return append_data(rule, line->value, err);
}

int su_rules_parse(const char *file, char *text, struct su_rules *rules, struct su_error *err)
{
        return su_ini_parse(file, text, visit, rules, err);
}

void su_rules_done(struct su_rules *rules)
{
        for (size_t i = 0; i < rules->n_rules; i++) {
                for (size_t j = 0; j < rules->rules[i].n_data; j++)
                        free(rules->rules[i].data[j]);
                free(rules->rules[i].data);
                free(rules->rules[i].unit);
        }
        free(rules->rules);
        *rules = (struct su_rules){0};
}

enum su_rule_action su_rules_action(const struct su_rules *rules, const char *unit)
{
        enum su_rule_action action = SU_RULE_UNSET;

        for (size_t i = 0; i < rules->n_rules; i++)
                if (rules->rules[i].action != SU_RULE_UNSET &&
                    fnmatch(rules->rules[i].unit, unit, 0) == 0)
                        action = rules->rules[i].action;
        return action;
}

bool su_rule_reads(const struct su_rule *rule, const char *path)
{
        for (size_t i = 0; i < rule->n_data; i++)
                if (fnmatch(rule->data[i], path, 0) == 0)
                        return true;
        return false;
}

static int read_data(const json_t *object, struct su_rule *rule, struct su_error *err)
{
        const json_t *data = json_object_get(object, "data");
        const json_t *element;
        size_t i;

        if (!data)
                return 0;
        if (!json_is_array(data))
                return su_fail(err, SU_ERROR_FORMAT, "field 'data' is not an array");
        if (json_array_size(data) > 0 && !is_one_service(rule->unit))
                return su_fail(err, SU_ERROR_FORMAT,
                               "field 'data' needs a unit that is one service");
        json_array_foreach (data, i, element) {
                const char *pattern = json_string_value(element);
                int r;

                if (!pattern || !is_data_pattern(pattern))
                        return su_fail(err, SU_ERROR_FORMAT, "field 'data' has what is no path");
                r = append_data(rule, pattern, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_rule(const json_t *object, struct su_rules *rules, struct su_error *err)
{
        enum su_rule_action action = SU_RULE_UNSET;
        const char *unit;
        const char *text;
        int r;

        r = su_json_get_string(object, "unit", &unit, err);
        if (r >= 0)
                r = su_json_find_string(object, "action", &text, err);
        if (r < 0)
                return r;
        if (!su_rule_is_unit_pattern(unit))
                return su_fail(err, SU_ERROR_FORMAT, "field 'unit' is no unit's name");
        if (text && !parse_action(text, &action))
                return su_fail(err, SU_ERROR_FORMAT, "field 'action' is none that is known");
        r = su_rules_append(rules, unit, action, err);
        if (r < 0)
                return r;
        return read_data(object, &rules->rules[rules->n_rules - 1], err);
}

int su_rules_from_json(const json_t *parent, const char *name, struct su_rules *ret,
                       struct su_error *err)
{
        su_auto_rules struct su_rules rules = {0};
        const json_t *array = json_object_get(parent, name);
        const json_t *element;
        size_t i;

        if (array && !json_is_array(array))
                return su_fail(err, SU_ERROR_FORMAT, "field '%s' is not an array", name);
        json_array_foreach (array, i, element) {
                int r = read_rule(element, &rules, err);

                if (r < 0)
                        return su_fail_prefix(err, r, "%s", name);
        }
        *ret = rules;
        rules = (struct su_rules){0};
        return 0;
}

static json_t *rule_to_json(const struct su_rule *rule)
{
        su_auto_json json_t *data = json_array();

        for (size_t i = 0; i < rule->n_data; i++)
                if (json_array_append_new(data, json_string(rule->data[i])) < 0)
                        return NULL;
        return json_pack("{s:s, s:s?, s:O}", "unit", rule->unit, "action",
                         rule->action != SU_RULE_UNSET ? action_names[rule->action] : NULL, "data",
                         data);
}

json_t *su_rules_to_json(const struct su_rules *rules)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < rules->n_rules; i++)
                if (json_array_append_new(array, rule_to_json(&rules->rules[i])) < 0)
                        return NULL;
        return su_take(array);
}
