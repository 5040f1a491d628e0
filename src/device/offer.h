/* What the repository offers this device right now, and if nothing, why not. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"
#include "device/engine.h"
#include "improvement/manifest.h"

struct su_offer {
        bool up_to_date;             /* the current level is on /usr already */
        struct su_level level;       /* the channel's current level, "" when there is none */
        struct su_manifest manifest; /* of that level */
        char *message;               /* one sentence for people */
};

/* Refresh the trusted metadata, read the channel and the manifest. The manifest is kept in the
 * store and the outcome in the state, also when it is a refusal: NOT_OFFERED (nothing current,
 * recalled, not yet rolled out to this device), ARCHITECTURE, BASELINE and every error of trust and
 * transport. */
int su_offer_get(struct su_engine *engine, struct su_offer *ret, struct su_error *err);
void su_offer_done(struct su_offer *offer);
#define su_auto_offer su_auto(su_offer_done)
