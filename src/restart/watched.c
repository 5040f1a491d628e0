#include "restart/watched.h"

#include <string.h>

#include "base/text.h"

bool su_names_have(const struct su_names *names, const char *name)
{
        for (size_t i = 0; i < names->n_names; i++)
                if (strcmp(names->names[i], name) == 0)
                        return true;
        return false;
}

int su_names_add(struct su_names *names, const char *name, struct su_error *err)
{
        char **larger;
        int r;

        if (su_names_have(names, name))
                return 0;
        larger = reallocarray(names->names, names->n_names + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        names->names = larger;
        r = su_strdup(name, &larger[names->n_names], err);
        if (r >= 0)
                names->n_names++;
        return r;
}

void su_names_done(struct su_names *names)
{
        for (size_t i = 0; i < names->n_names; i++)
                free(names->names[i]);
        free(names->names);
        *names = (struct su_names){0};
}

static int read_names(const json_t *object, const char *name, struct su_names *names,
                      struct su_error *err)
{
        json_t *array;
        json_t *element;
        size_t i;
        int r;

        r = su_json_get_array(object, name, &array, err);
        if (r < 0)
                return r;
        json_array_foreach (array, i, element) {
                if (!json_is_string(element))
                        return su_fail(err, SU_ERROR_FORMAT, "field '%s' has no string", name);
                r = su_names_add(names, json_string_value(element), err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int su_watched_add(struct su_watched *watched, const char *unit, int64_t restarts,
                   struct su_error *err)
{
        struct su_watched_unit *larger =
                reallocarray(watched->units, watched->n_units + 1, sizeof *larger);
        int r;

        if (!larger)
                return su_fail_oom(err);
        watched->units = larger;
        r = su_strdup(unit, &larger[watched->n_units].name, err);
        if (r < 0)
                return r;
        larger[watched->n_units++].restarts = restarts;
        return 0;
}

static int read_unit(const json_t *object, struct su_watched *watched, struct su_error *err)
{
        const char *name;
        int64_t restarts;
        int r;

        r = su_json_get_string(object, "unit", &name, err);
        if (r >= 0)
                r = su_json_get_integer(object, "restarts", 0, INT64_MAX, &restarts, err);
        return r < 0 ? r : su_watched_add(watched, name, restarts, err);
}

static int read_units(const json_t *object, struct su_watched *watched, struct su_error *err)
{
        json_t *array;
        json_t *element;
        size_t i;
        int r;

        r = su_json_get_array(object, "units", &array, err);
        if (r < 0)
                return r;
        json_array_foreach (array, i, element) {
                r = read_unit(element, watched, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_watched(const json_t *object, struct su_watched *ret, struct su_error *err)
{
        int r;

        r = su_json_get_integer(object, "generation", 1, INT64_MAX, &ret->generation, err);
        if (r >= 0)
                r = read_units(object, ret, err);
        return r < 0 ? r : read_names(object, "excused", &ret->excused, err);
}

int su_watched_from_json(const json_t *object, struct su_watched *ret, struct su_error *err)
{
        su_auto_watched struct su_watched watched = {0};
        int r;

        r = read_watched(object, &watched, err);
        if (r < 0)
                return su_fail_prefix(err, r, "watched");
        *ret = watched;
        watched = (struct su_watched){0};
        return 0;
}

static json_t *names_to_json(const struct su_names *names)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < names->n_names; i++)
                if (json_array_append_new(array, json_string(names->names[i])) < 0)
                        return NULL;
        return su_take(array);
}

static json_t *units_to_json(const struct su_watched *watched)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < watched->n_units; i++) {
                const struct su_watched_unit *unit = &watched->units[i];

                if (json_array_append_new(array,
                                          json_pack("{s:s, s:I}", "unit", unit->name, "restarts",
                                                    (json_int_t)unit->restarts)) < 0)
                        return NULL;
        }
        return su_take(array);
}

json_t *su_watched_to_json(const struct su_watched *watched)
{
        if (watched->generation == 0)
                return json_null();
        return json_pack("{s:I, s:o, s:o}", "generation", (json_int_t)watched->generation, "units",
                         units_to_json(watched), "excused", names_to_json(&watched->excused));
}

void su_watched_done(struct su_watched *watched)
{
        for (size_t i = 0; i < watched->n_units; i++)
                free(watched->units[i].name);
        free(watched->units);
        su_names_done(&watched->excused);
        *watched = (struct su_watched){0};
}
