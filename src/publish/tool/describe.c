#include "publish/tool/describe.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/draft/fixes.h"

#define HINTS_SIZE_MAX (64 * 1024)

static int copy_version(const char *text, char **field, struct su_error *err)
{
        if (!text)
                return 0;
        free(*field);
        *field = NULL;
        return su_strdup(text, field, err);
}

static int copy_marks(const struct su_publish_arguments *arguments, struct su_component *component,
                      struct su_error *err)
{
        component->marks = calloc(arguments->marks.n + 1, sizeof *component->marks);
        if (!component->marks)
                return su_fail_oom(err);
        for (size_t i = 0; i < arguments->marks.n; i++) {
                int r;

                if (!su_mark_is_usable(arguments->marks.texts[i]))
                        return su_fail(err, SU_ERROR_USAGE,
                                       "a mark has %d to %d printable bytes: '%s'", SU_MARK_MIN,
                                       SU_MARK_MAX, arguments->marks.texts[i]);
                r = su_strdup(arguments->marks.texts[i], &component->marks[i], err);
                if (r < 0)
                        return r;
                component->n_marks++;
        }
        return 0;
}

static int read_hints(const struct su_publish_arguments *arguments, struct su_component *component,
                      struct su_error *err)
{
        su_auto_free char *text = NULL;
        int r;

        if (!arguments->hints)
                return 0;
        r = su_file_read(AT_FDCWD, arguments->hints, HINTS_SIZE_MAX, &text, NULL, err);
        return r < 0 ? r : su_rules_parse(arguments->hints, text, &component->hints, err);
}

static int read_health(const struct su_publish_arguments *arguments, struct su_component *component,
                       struct su_error *err)
{
        su_auto_free char *text = NULL;
        int r;

        if (!arguments->health)
                return 0;
        r = su_file_read(AT_FDCWD, arguments->health, HINTS_SIZE_MAX, &text, NULL, err);
        return r < 0 ? r : su_health_parse(arguments->health, text, &component->health, err);
}

static int read_fixes(const struct su_publish_arguments *arguments, struct su_component *component,
                      struct su_error *err)
{
        su_auto_free char *text = NULL;
        int r;

        if (!arguments->fixes)
                return 0;
        r = su_file_read(AT_FDCWD, arguments->fixes, SU_FIXES_FILE_MAX, &text, NULL, err);
        return r < 0 ? r : su_fixes_parse(arguments->fixes, text, component, err);
}

/* ID or ID:SEVERITY */
static int add_fix(struct su_component *component, const char *text, struct su_error *err)
{
        const char *colon = strchr(text, ':');
        su_auto_free char *id = strndup(text, colon ? (size_t)(colon - text) : strlen(text));

        return id ? su_fixes_add(component, id, NULL, colon ? colon + 1 : NULL, err)
                  : su_fail_oom(err);
}

int su_describe(const struct su_publish_arguments *arguments, struct su_component *component,
                struct su_error *err)
{
        int r;

        r = su_strdup(arguments->component, &component->name, err);
        if (r >= 0)
                r = copy_version(arguments->old_version, &component->old_version, err);
        if (r >= 0)
                r = copy_version(arguments->new_version, &component->new_version, err);
        for (size_t i = 0; i < arguments->cves.n && r >= 0; i++)
                r = add_fix(component, arguments->cves.texts[i], err);
        if (r >= 0 && arguments->advisory)
                r = su_fixes_link(component, arguments->advisory, err);
        if (r >= 0) /* the last word, as it is about single ones */
                r = read_fixes(arguments, component, err);
        if (r >= 0)
                r = copy_marks(arguments, component, err);
        if (r >= 0 && arguments->notice)
                r = su_strdup(arguments->notice, &component->notice, err);
        if (r >= 0)
                r = read_hints(arguments, component, err);
        return r < 0 ? r : read_health(arguments, component, err);
}
