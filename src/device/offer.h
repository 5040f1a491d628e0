/* What the repository offers this device right now, and if nothing, why not. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"
#include "device/decide.h"
#include "device/engine.h"
#include "improvement/manifest.h"

struct su_offer {
        struct su_level present;     /* what is on /usr */
        struct su_decision decision; /* what to do about what the channel says */
        bool recalled;               /* the level on /usr was */
        struct su_manifest manifest; /* of the level that is offered; not when it is to go back */
        char *message;               /* one sentence for people */
};

/* Refresh the trusted metadata, read the channel and the manifest. The manifest is kept in the
 * store and the outcome in the state, also when it is a refusal: NOT_OFFERED (nothing current,
 * recalled, not yet rolled out to this device), ROLLBACK (an old channel), ARCHITECTURE, BASELINE
 * and every error of trust and transport. */
int su_offer_get(struct su_engine *engine, struct su_offer *ret, struct su_error *err);
void su_offer_done(struct su_offer *offer);
#define su_auto_offer su_auto(su_offer_done)
