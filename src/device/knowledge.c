#include "device/knowledge.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define REFUSALS_MAX 702

static struct su_refused *find(const struct su_refusals *refusals, const struct su_level *level)
{
        for (size_t i = 0; i < refusals->n_levels; i++)
                if (su_level_compare(&refusals->levels[i].level, level) == 0)
                        return &refusals->levels[i];
        return NULL;
}

const struct su_refused *su_refusals_find(const struct su_refusals *refusals,
                                          const struct su_level *level)
{
        return find(refusals, level);
}

static int append(struct su_refusals *refusals, const struct su_level *level, int64_t at,
                  const char *reason, struct su_error *err)
{
        struct su_refused *larger =
                reallocarray(refusals->levels, refusals->n_levels + 1, sizeof *larger);
        int r;

        if (!larger)
                return su_fail_oom(err);
        refusals->levels = larger;
        larger += refusals->n_levels;
        *larger = (struct su_refused){.level = *level, .at = at};
        r = su_strdup(reason, &larger->reason, err);
        if (r >= 0)
                refusals->n_levels++;
        return r;
}

int su_refusals_add(struct su_refusals *refusals, const struct su_level *level, const char *reason,
                    struct su_error *err)
{
        su_refusals_drop(refusals, level);
        return append(refusals, level, su_now(), reason, err);
}

void su_refusals_drop(struct su_refusals *refusals, const struct su_level *level)
{
        struct su_refused *refused = find(refusals, level);
        size_t after;

        if (!refused)
                return;
        free(refused->reason);
        after = refusals->n_levels - (size_t)(refused - refusals->levels) - 1;
        memmove(refused, refused + 1, after * sizeof *refused);
        refusals->n_levels--;
}

void su_refusals_done(struct su_refusals *refusals)
{
        for (size_t i = 0; i < refusals->n_levels; i++)
                free(refusals->levels[i].reason);
        free(refusals->levels);
        *refusals = (struct su_refusals){0};
}

int su_knowledge_turn_to(struct su_knowledge *knowledge, const char *baseline, struct su_error *err)
{
        if (knowledge->baseline && strcmp(knowledge->baseline, baseline) == 0)
                return 0;
        su_knowledge_done(knowledge);
        return su_strdup(baseline, &knowledge->baseline, err);
}

static int read_refused(const json_t *object, struct su_refusals *refusals, struct su_error *err)
{
        struct su_level level;
        const char *reason;
        int64_t at;
        int r;

        r = su_level_from_json(object, "level", &level, err);
        if (r >= 0)
                r = su_json_get_integer(object, "at", 0, INT64_MAX, &at, err);
        if (r >= 0)
                r = su_json_get_string(object, "reason", &reason, err);
        return r < 0 ? r : append(refusals, &level, at, reason, err);
}

static int read_refusals(const json_t *object, const char *name, struct su_refusals *refusals,
                         struct su_error *err)
{
        json_t *array;
        size_t i;
        json_t *element;
        int r;

        r = su_json_get_array(object, name, &array, err);
        if (r < 0)
                return r;
        if (json_array_size(array) > REFUSALS_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "field '%s' is too long", name);
        json_array_foreach (array, i, element) {
                r = read_refused(element, refusals, err);
                if (r < 0)
                        return su_fail_prefix(err, r, "%s", name);
        }
        return 0;
}

static int read_knowledge(const json_t *object, struct su_knowledge *ret, struct su_error *err)
{
        const char *baseline;
        int r;

        r = su_json_get_string(object, "baseline", &baseline, err);
        if (r >= 0)
                r = su_strdup(baseline, &ret->baseline, err);
        if (r >= 0)
                r = su_json_get_integer(object, "serial", 0, INT64_MAX, &ret->serial, err);
        if (r >= 0)
                r = su_level_from_json(object, "floor", &ret->floor, err);
        if (r >= 0)
                r = su_level_from_json(object, "removed", &ret->removed, err);
        if (r >= 0)
                r = su_level_from_json(object, "staged", &ret->staged, err);
        if (r >= 0)
                r = read_refusals(object, "quarantine", &ret->quarantine, err);
        if (r >= 0)
                r = read_refusals(object, "recalls", &ret->recalls, err);
        return r;
}

int su_knowledge_from_json(const json_t *object, struct su_knowledge *ret, struct su_error *err)
{
        su_auto_knowledge struct su_knowledge knowledge = {0};
        int r;

        r = read_knowledge(object, &knowledge, err);
        if (r < 0)
                return su_fail_prefix(err, r, "knowledge");
        *ret = knowledge;
        knowledge = (struct su_knowledge){0};
        return 0;
}

static json_t *refusals_to_json(const struct su_refusals *refusals)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < refusals->n_levels; i++) {
                const struct su_refused *refused = &refusals->levels[i];

                if (json_array_append_new(array,
                                          json_pack("{s:s, s:I, s:s}", "level", refused->level.name,
                                                    "at", (json_int_t)refused->at, "reason",
                                                    refused->reason)) < 0)
                        return NULL;
        }
        return su_take(array);
}

static const char *level_or_null(const struct su_level *level)
{
        return level->name[0] ? level->name : NULL;
}

json_t *su_knowledge_to_json(const struct su_knowledge *knowledge)
{
        if (!knowledge->baseline)
                return json_null();
        return json_pack(
                "{s:s, s:I, s:s?, s:s?, s:s?, s:o, s:o}", "baseline", knowledge->baseline, "serial",
                (json_int_t)knowledge->serial, "floor", level_or_null(&knowledge->floor), "removed",
                level_or_null(&knowledge->removed), "staged", level_or_null(&knowledge->staged),
                "quarantine", refusals_to_json(&knowledge->quarantine), "recalls",
                refusals_to_json(&knowledge->recalls));
}

void su_knowledge_done(struct su_knowledge *knowledge)
{
        su_refusals_done(&knowledge->quarantine);
        su_refusals_done(&knowledge->recalls);
        free(knowledge->baseline);
        *knowledge = (struct su_knowledge){0};
}
