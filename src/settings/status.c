#include "settings/status.h"

#include <string.h>

const char *su_status_text(const json_t *object, const char *name)
{
        const char *text = json_string_value(json_object_get(object, name));

        return text ? text : "";
}

bool su_status_truth(const json_t *object, const char *name)
{
        return json_is_true(json_object_get(object, name));
}

const json_t *su_status_part(const json_t *object, const char *name)
{
        const json_t *part = json_object_get(object, name);

        return json_is_object(part) || json_is_array(part) ? part : NULL;
}

bool su_status_is(const json_t *object, const char *name, const char *text)
{
        return strcmp(su_status_text(object, name), text) == 0;
}

bool su_status_has_offer(const json_t *status)
{
        return su_status_part(status, "offer") != NULL;
}

bool su_status_restarts_something(const json_t *status)
{
        static const char *const own[] = {"reload", "restart", "reexecute"};
        const json_t *action;
        size_t i;

        json_array_foreach (su_status_part(status, "plan"), i, action)
                for (size_t j = 0; j < sizeof own / sizeof *own; j++)
                        if (su_status_is(action, "action", own[j]))
                                return true;
        return false;
}

bool su_status_is_elsewhere(const json_t *action)
{
        return su_status_is(action, "action", "not-reached");
}

bool su_status_awaits_restarts(const json_t *status)
{
        return !su_status_has_offer(status) && su_status_part(status, "waiting") &&
               su_status_restarts_something(status);
}

bool su_status_leaves_recalled(const json_t *status)
{
        return su_status_is(status, "state", "recalled") &&
               !su_status_is(su_status_part(status, "last_check"), "outcome", "NotOffered");
}
