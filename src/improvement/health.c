#include "improvement/health.h"

#include <fnmatch.h>
#include <string.h>

#include "base/ini.h"
#include "base/printable.h"
#include "base/text.h"
#include "improvement/rule.h"

static bool is_command(const char *text)
{
        return text[0] == '/' && text[1] != '\0' && strlen(text) <= SU_HEALTH_COMMAND_MAX &&
               su_is_printable_ascii(text);
}

int su_health_append(struct su_health *health, const char *unit, const char *command,
                     struct su_error *err)
{
        struct su_health_check *larger;
        int r;

        if (health->n_checks >= SU_HEALTH_CHECKS_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "more than %d health checks",
                               SU_HEALTH_CHECKS_MAX);
        larger = reallocarray(health->checks, health->n_checks + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        health->checks = larger;
        larger += health->n_checks++;
        *larger = (struct su_health_check){0};
        r = su_strdup(unit, &larger->unit, err);
        return r < 0 ? r : su_strdup(command, &larger->command, err);
}

static int visit(void *userdata, const struct su_ini_line *line, struct su_error *err)
{
        if (!line->key)
                return su_rule_is_unit_pattern(line->section)
                               ? 0
                               : su_fail_line(err, line, "'%s' is no unit's name", line->section);
        if (strcmp(line->key, "Command") != 0)
                return su_fail_line(err, line, "unknown key '%s'", line->key);
        if (!is_command(line->value))
                return su_fail_line(err, line,
                                    "Command= does not begin with an absolute path: '%s'",
                                    line->value);
        return su_health_append(userdata, line->section, line->value, err);
}

int su_health_parse(const char *file, char *text, struct su_health *health, struct su_error *err)
{
        return su_ini_parse(file, text, visit, health, err);
}

void su_health_done(struct su_health *health)
{
        for (size_t i = 0; i < health->n_checks; i++) {
                free(health->checks[i].unit);
                free(health->checks[i].command);
        }
        free(health->checks);
        *health = (struct su_health){0};
}

bool su_health_is_general(const struct su_health_check *check)
{
        return strcmp(check->unit, "*") == 0;
}

bool su_health_is_about(const struct su_health_check *check, const char *unit)
{
        return fnmatch(check->unit, unit, 0) == 0;
}

static int read_check(const json_t *object, struct su_health *health, struct su_error *err)
{
        const char *unit;
        const char *command;
        int r;

        r = su_json_get_string(object, "unit", &unit, err);
        if (r >= 0)
                r = su_json_get_string(object, "command", &command, err);
        if (r < 0)
                return r;
        if (!su_rule_is_unit_pattern(unit))
                return su_fail(err, SU_ERROR_FORMAT, "field 'unit' is no unit's name");
        if (!is_command(command))
                return su_fail(err, SU_ERROR_FORMAT, "field 'command' is no command");
        return su_health_append(health, unit, command, err);
}

int su_health_from_json(const json_t *parent, const char *name, struct su_health *ret,
                        struct su_error *err)
{
        su_auto_health struct su_health health = {0};
        const json_t *array = json_object_get(parent, name);
        const json_t *element;
        size_t i;

        if (array && !json_is_array(array))
                return su_fail(err, SU_ERROR_FORMAT, "field '%s' is not an array", name);
        json_array_foreach (array, i, element) {
                int r = read_check(element, &health, err);

                if (r < 0)
                        return su_fail_prefix(err, r, "%s", name);
        }
        *ret = health;
        health = (struct su_health){0};
        return 0;
}

json_t *su_health_to_json(const struct su_health *health)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < health->n_checks; i++)
                if (json_array_append_new(array,
                                          json_pack("{s:s, s:s}", "unit", health->checks[i].unit,
                                                    "command", health->checks[i].command)) < 0)
                        return NULL;
        return su_take(array);
}
