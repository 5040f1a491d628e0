#include "device/conditions.h"

#include <string.h>

#include "base/translate.h"

unsigned su_conditions_of_download(const struct su_condition_policy *policy,
                                   const struct su_surroundings *surroundings, bool enforced)
{
        return surroundings->metered && !policy->ignores_metered && !enforced ? SU_CONDITION_METERED
                                                                              : 0;
}

static bool is_open(const struct su_condition_policy *policy, int64_t now)
{
        const struct su_restart_policy restarts = {.windows = policy->windows};

        return su_restart_is_open(&restarts, now);
}

unsigned su_conditions_of_install(const struct su_condition_policy *policy,
                                  const struct su_surroundings *surroundings, bool enforced,
                                  int64_t now)
{
        unsigned conditions = 0;

        if (surroundings->on_battery && surroundings->battery < policy->battery_min)
                conditions |= SU_CONDITION_BATTERY;
        if (surroundings->in_use && policy->waits_for_idle && !enforced)
                conditions |= SU_CONDITION_IN_USE;
        if (!is_open(policy, now) && !enforced)
                conditions |= SU_CONDITION_WINDOW;
        return conditions;
}

static const struct {
        const char *name;
        const char *wish;
} texts[SU_CONDITIONS] = {
        {"metered", N_("a network that is not metered")},
        {"battery", N_("mains, or more in the battery")},
        {"in-use", N_("nobody to work on this system")},
        {"window", N_("the maintenance window")},
};

static size_t index_of(enum su_condition condition)
{
        return (size_t)__builtin_ctz(condition);
}

const char *su_condition_name(enum su_condition condition)
{
        return texts[index_of(condition)].name;
}

const char *su_condition_wish(enum su_condition condition)
{
        return _(texts[index_of(condition)].wish);
}

json_t *su_conditions_to_json(unsigned conditions)
{
        su_auto_json json_t *names = json_array();

        for (size_t i = 0; i < SU_CONDITIONS; i++)
                if ((conditions & 1U << i) &&
                    json_array_append_new(names, json_string(texts[i].name)) < 0)
                        return NULL;
        return su_take(names);
}

unsigned su_conditions_from_json(const json_t *names)
{
        unsigned conditions = 0;
        const json_t *name;
        size_t i;

        json_array_foreach (names, i, name)
                for (size_t j = 0; j < SU_CONDITIONS; j++)
                        if (json_is_string(name) &&
                            strcmp(json_string_value(name), texts[j].name) == 0)
                                conditions |= 1U << j;
        return conditions;
}
