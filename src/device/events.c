#include "device/events.h"

#include "base/clock.h"
#include "device/history.h"

json_t *su_event_make(const char *name, const struct su_error *failure)
{
        char at[SU_TIME_TEXT_SIZE];

        su_time_format(su_now(), at);
        return json_pack("{s:s, s:s, s:s, s:s?}", "at", at, "event", name, "outcome",
                         failure ? su_error_name(failure->code) : "Ok", "message",
                         failure ? failure->message : NULL);
}

json_t *su_event_with(json_t *event, json_t *more)
{
        su_auto_json json_t *owned = event;

        if (!owned) {
                json_decref(more);
                return NULL;
        }
        return json_object_update_new(owned, more) < 0 ? NULL : su_take(owned);
}

void su_event_tell(const struct su_engine *engine, json_t *event)
{
        su_auto_json json_t *owned = event;

        if (owned && engine->listener)
                engine->listener(engine, owned);
}

int su_event_record(const struct su_engine *engine, json_t *event, struct su_error *err)
{
        if (event)
                su_event_tell(engine, json_incref(event));
        return su_history_append(engine->state_fd, event, err);
}
