#include "publish/draft/fixes.h"

#include <stddef.h>
#include <string.h>

#include "base/ini.h"
#include "base/text.h"

#define TITLE_MAX 256
#define SEVERITY_MAX 16

static struct su_fix *find_fix(const struct su_component *component, const char *id)
{
        for (size_t i = 0; i < component->n_fixes; i++)
                if (strcmp(component->fixes[i].id, id) == 0)
                        return &component->fixes[i];
        return NULL;
}

static int fill_in(const char *text, char **place, struct su_error *err)
{
        return text && !*place ? su_strdup(text, place, err) : 0;
}

static int append_fix(struct su_component *component, const char *id, struct su_fix **ret,
                      struct su_error *err)
{
        struct su_fix *larger;
        char *copy;
        int r;

        if (component->n_fixes >= SU_FIXES_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "more than %d fixes", SU_FIXES_MAX);
        larger = reallocarray(component->fixes, component->n_fixes + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        component->fixes = larger;
        r = su_strdup(id, &copy, err);
        if (r < 0)
                return r;
        *ret = &component->fixes[component->n_fixes++];
        **ret = (struct su_fix){.id = copy};
        return 0;
}

int su_fixes_add(struct su_component *component, const char *id, const char *title,
                 const char *severity, struct su_error *err)
{
        struct su_fix *fix = find_fix(component, id);
        int r = 0;

        if (!fix)
                r = append_fix(component, id, &fix, err);
        if (r >= 0)
                r = fill_in(title, &fix->title, err);
        return r < 0 ? r : fill_in(severity, &fix->severity, err);
}

int su_fixes_link(struct su_component *component, const char *pattern, struct su_error *err)
{
        static const char variable[] = "{id}";
        const char *at = strstr(pattern, variable);

        if (!at)
                return su_fail(err, SU_ERROR_USAGE, "there is no {id} in '%s'", pattern);
        for (size_t i = 0; i < component->n_fixes; i++) {
                struct su_fix *fix = &component->fixes[i];
                su_auto_free char *url = NULL;
                int r;

                r = su_format(&url, err, "%.*s%s%s", (int)(at - pattern), pattern, fix->id,
                              at + strlen(variable));
                if (r < 0)
                        return r;
                if (!su_advisory_url_is_usable(url))
                        return su_fail(err, SU_ERROR_USAGE, "'%s' is not an https URL", url);
                free(fix->url);
                fix->url = su_take(url);
        }
        return 0;
}

struct fixes_file {
        struct su_component *component;
        size_t fix; /* whose section this is */
};

static const struct {
        const char *name;
        size_t field;
        size_t max;
        bool (*is_right)(const char *text); /* NULL: any line of text */
        const char *wanted;
} keys[] = {
        {"Title", offsetof(struct su_fix, title), TITLE_MAX, NULL, "a line of text"},
        {"Severity", offsetof(struct su_fix, severity), SEVERITY_MAX, su_severity_is_known,
         "low, moderate, high or critical"},
        {"Impact", offsetof(struct su_fix, impact), SU_IMPACT_MAX, NULL, "a line of text"},
        {"Credit", offsetof(struct su_fix, credit), SU_CREDIT_MAX, NULL, "a line of text"},
        {"Advisory", offsetof(struct su_fix, url), SU_ADVISORY_URL_MAX, su_advisory_url_is_usable,
         "an https URL"},
};

static int begin_fix(struct fixes_file *file, const struct su_ini_line *line, struct su_error *err)
{
        struct su_fix *fix;
        int r = 0;

        if (!su_name_is_safe(line->section))
                return su_fail_line(err, line, "'%s' is not an identifier", line->section);
        fix = find_fix(file->component, line->section);
        if (!fix)
                r = append_fix(file->component, line->section, &fix, err);
        if (r >= 0)
                file->fix = (size_t)(fix - file->component->fixes);
        return r;
}

static int visit(void *userdata, const struct su_ini_line *line, struct su_error *err)
{
        struct fixes_file *file = userdata;

        if (!line->key)
                return begin_fix(file, line, err);
        for (size_t i = 0; i < SU_ELEMENTS(keys); i++) {
                char **field;

                if (strcmp(line->key, keys[i].name) != 0)
                        continue;
                if (!su_fix_text_is_usable(line->value, keys[i].max) ||
                    (keys[i].is_right && !keys[i].is_right(line->value)))
                        return su_fail_line(err, line, "%s= takes %s of at most %zu bytes",
                                            keys[i].name, keys[i].wanted, keys[i].max);
                field = (char **)((char *)&file->component->fixes[file->fix] + keys[i].field);
                free(*field);
                *field = NULL;
                return su_strdup(line->value, field, err);
        }
        return su_fail_line(err, line, "unknown key '%s'", line->key);
}

int su_fixes_parse(const char *file, char *text, struct su_component *component,
                   struct su_error *err)
{
        struct fixes_file state = {.component = component};

        return su_ini_parse(file, text, visit, &state, err);
}
