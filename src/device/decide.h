/* What a device does about what its channel says: all rules in one place, and nothing else.
 *
 *  1. A level that was recalled is left: for the level that is offered, if this device may have it;
 *     else for what it ran before. It is not left for anything below the floor.
 *  2. Nothing else ever leads to an older level.
 *  3. A level that was recalled, or that lies below the floor, is not installed.
 *  4. A level that failed here is not installed again, unless somebody wants it all the same.
 *  5. A level that a person removed is not installed again by itself, nor is an older one; the
 *     next one is.
 *  6. A level is offered when the roll-out has reached this device, or one of its groups comes
 * first; while its publisher pauses that, to nobody.
 *  7. A level that the administrator's policy does not want (pinned to an older one, skipped,
 *     deferred) is not offered here, to nobody.
 *  8. What the administrator enforces, since its release is long ago, is installed by itself, also
 *     where a person removed it, switched "automatic" off, or is at work.
 *  9. "Automatic off" takes nothing away: what is offered can be installed by a person.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "device/admin_policy.h"
#include "device/knowledge.h"
#include "improvement/channel.h"

struct su_situation {
        const struct su_channel *channel;
        const struct su_knowledge *knowledge; /* of this baseline, the channel's word included */
        const struct su_admin_policy *policy;
        struct su_level present;  /* on /usr; "": the baseline */
        struct su_level fallback; /* what can be gone back to; "": the baseline */
        int position;             /* of this device in the roll-out of the current level */
        int64_t now;
};

enum su_course {
        SU_COURSE_STAY,    /* what is on /usr is what should be there */
        SU_COURSE_INSTALL, /* `level` may be put in its place */
        SU_COURSE_GO_BACK, /* the level on /usr was recalled: go back to `level` */
};

/* Why nobody but a person may take the course. */
enum su_hold {
        SU_HOLD_NONE,
        SU_HOLD_REMOVED,     /* a person took this level off */
        SU_HOLD_QUARANTINED, /* it failed here: a person must say so twice */
};

struct su_decision {
        enum su_course course;
        enum su_hold hold;
        bool enforced; /* it is out for as long as the administrator lets it wait */
        struct su_level level;
        const char *recall_reason; /* the channel's: why the level on /usr was recalled; or NULL */
};

/* NOT_OFFERED, with the true reason, when there is nothing for this device; it stays where it is.
 */
int su_decide(const struct su_situation *situation, struct su_decision *ret, struct su_error *err);

/* Take over what a channel document says for good. ROLLBACK when it is older than the last one. */
int su_knowledge_learn(struct su_knowledge *knowledge, const struct su_channel *channel,
                       struct su_error *err);
