/* Put the layers of the active generation on /usr again, as far as they still apply: at boot, and
 * after a package manager has worked on the base. */
#pragma once

#include "base/error.h"
#include "device/engine.h"
#include "improvement/manifest.h"
#include "json/json.h"

enum su_restored {
        SU_RESTORED_ALL,      /* all that was there is there again */
        SU_RESTORED_PART,     /* some components no longer apply, or their images are damaged */
        SU_RESTORED_BASELINE, /* none applies any more */
};

struct su_restoration {
        enum su_restored restored;
        struct su_manifest from; /* what was on /usr before, and what is now, with the fits */
        struct su_manifest to;
};

/* Nothing of ours is on /usr when it is called. An image whose seal is broken is left out alone. */
int su_restore(struct su_engine *engine, struct su_restoration *restoration, struct su_error *err);
void su_restoration_done(struct su_restoration *restoration);
#define su_auto_restoration su_auto(su_restoration_done)

/* How the components of a level stand to the base as it is now; with `images`, which are read to
 * their ends, also whether those are there and whole. `ret_changed`: otherwise than they said. */
int su_find_fits(struct su_engine *engine, struct su_manifest *manifest, bool images,
                 bool *ret_changed, struct su_error *err);

/* {COMPONENT: FIT}, for the history. NULL: memory ran out. */
json_t *su_fits_to_json(const struct su_manifest *manifest);
