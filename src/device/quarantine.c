#include "device/quarantine.h"

#include "device/events.h"

int su_quarantine_add(struct su_engine *engine, const struct su_level *level, const char *reason,
                      const char *unit, struct su_error *err)
{
        struct su_refusals *quarantine = &engine->state.knowledge.quarantine;
        const bool known = su_refusals_find(quarantine, level);
        int r;

        r = su_refusals_add(quarantine, level, reason, err);
        if (r >= 0)
                r = su_state_save(engine->state_fd, &engine->state, err);
        /* Where a kill came between the verdict and what follows, it was told already. */
        if (r >= 0 && !known)
                su_event_tell(engine,
                              su_event_with(su_event_make("quarantine", NULL),
                                            json_pack("{s:s, s:s, s:s*}", "from", level->name,
                                                      "reason", reason, "unit", unit)));
        return r;
}
