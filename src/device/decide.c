#include "device/decide.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

static bool is_newer(const struct su_level *a, const struct su_level *b)
{
        return su_level_compare(a, b) > 0;
}

static bool is_skipped(const struct su_skips *skips, const struct su_level *level)
{
        for (size_t i = 0; i < skips->n_levels; i++)
                if (su_level_compare(&skips->levels[i], level) == 0)
                        return true;
        return false;
}

static int check_deferral(const struct su_situation *situation,
                          const struct su_channel_level *current, struct su_error *err)
{
        char at[SU_TIME_TEXT_SIZE];
        int64_t from;

        if (situation->policy->defer == 0 || current->n_rollout == 0)
                return 0;
        from = current->rollout[0].from + situation->policy->defer;
        if (from <= situation->now)
                return 0;
        su_time_format(from, at);
        return su_fail(err, SU_ERROR_NOT_OFFERED,
                       "level (%s) waits until %s: levels are deferred here (Defer=)",
                       current->level.name, at);
}

/* What the administrator wants of what is offered. */
static int check_policy(const struct su_situation *situation,
                        const struct su_channel_level *current, struct su_error *err)
{
        const struct su_admin_policy *policy = situation->policy;

        if (policy->pin.name[0] && is_newer(&current->level, &policy->pin))
                return su_fail(err, SU_ERROR_NOT_OFFERED,
                               "level (%s) is not wanted: this system is pinned to (%s) (Pin=)",
                               current->level.name, policy->pin.name);
        if (is_skipped(&policy->skips, &current->level))
                return su_fail(err, SU_ERROR_NOT_OFFERED,
                               "level (%s) is not wanted: this system skips it (Skip=)",
                               current->level.name);
        return check_deferral(situation, current, err);
}

static bool is_enforced(const struct su_situation *situation,
                        const struct su_channel_level *current)
{
        const int64_t enforce = situation->policy->enforce;
        const int64_t from = situation->policy->enforce_from;

        if (from > 0 && situation->now >= from)
                return true;
        return enforce > 0 && current->n_rollout > 0 &&
               situation->now - current->rollout[0].from >= enforce;
}

/* The publisher tries it on these first, whatever the percentage. */
static bool is_in_group(const struct su_groups *groups, const struct su_channel_level *level)
{
        for (size_t i = 0; i < level->n_groups; i++)
                for (size_t j = 0; j < groups->n_names; j++)
                        if (strcmp(level->groups[i], groups->names[j]) == 0)
                                return true;
        return false;
}

static bool has_begun(const struct su_situation *situation, const struct su_channel_level *level)
{
        return level->n_rollout > 0 && level->rollout[0].from <= situation->now;
}

static int check_rollout(const struct su_situation *situation,
                         const struct su_channel_level *current, struct su_error *err)
{
        const int percent = su_rollout_percent(current, situation->now);

        if (current->paused > 0)
                return su_fail(err, SU_ERROR_NOT_OFFERED,
                               "the roll-out of level (%s) is paused by its publisher",
                               current->level.name);
        if (situation->position < percent ||
            (has_begun(situation, current) && is_in_group(&situation->policy->groups, current)))
                return 0;
        return su_fail(err, SU_ERROR_NOT_OFFERED,
                       "level (%s) is not yet in the roll-out for this machine: it is at %d %%, "
                       "this machine is at %d %%",
                       current->level.name, percent, situation->position);
}

/* Whether it is for this device by now: by its administrator, and by the roll-out. */
static int check_reach(const struct su_situation *situation, const struct su_channel_level *current,
                       struct su_error *err)
{
        int r;

        r = check_policy(situation, current, err);
        return r < 0 ? r : check_rollout(situation, current, err);
}

/* Whether the channel's current level may be here, whatever is here now. */
static int check_current(const struct su_situation *situation,
                         const struct su_channel_level *current, struct su_error *err)
{
        const struct su_level *floor = &situation->knowledge->floor;

        if (!current)
                return su_fail(err, SU_ERROR_NOT_OFFERED,
                               "the repository offers no improvement for baseline %s at present",
                               situation->channel->baseline);
        if (current->recall_reason)
                return su_fail(err, SU_ERROR_NOT_OFFERED, "level (%s) was recalled: %s",
                               current->level.name, current->recall_reason);
        if (is_newer(floor, &current->level))
                return su_fail(err, SU_ERROR_NOT_OFFERED,
                               "level (%s) is below (%s), the lowest that its publisher allowed",
                               current->level.name, floor->name);
        return 0;
}

static enum su_hold find_hold(const struct su_knowledge *knowledge, const struct su_level *level)
{
        if (su_refusals_find(&knowledge->quarantine, level))
                return SU_HOLD_QUARANTINED;
        /* Who took a level off does not want an older one either; "" is below all. */
        return is_newer(level, &knowledge->removed) ? SU_HOLD_NONE : SU_HOLD_REMOVED;
}

static int go_back(const struct su_situation *situation, struct su_decision *decision,
                   struct su_error *err)
{
        const struct su_level *floor = &situation->knowledge->floor;

        if (is_newer(floor, &situation->fallback))
                return su_fail(
                        err, SU_ERROR_NOT_OFFERED,
                        "level (%s) was recalled (%s), but its publisher allows nothing below "
                        "(%s): it stays until a newer one comes",
                        situation->present.name, decision->recall_reason, floor->name);
        decision->course = SU_COURSE_GO_BACK;
        decision->level = situation->fallback;
        return 0;
}

/* The level that is offered instead may well be an older one. */
static int leave(const struct su_situation *situation, const struct su_channel_level *current,
                 struct su_decision *decision, struct su_error *err)
{
        if (check_current(situation, current, NULL) < 0 ||
            find_hold(situation->knowledge, &current->level) != SU_HOLD_NONE ||
            check_reach(situation, current, NULL) < 0)
                return go_back(situation, decision, err);
        decision->course = SU_COURSE_INSTALL;
        decision->level = current->level;
        return 0;
}

static int advance(const struct su_situation *situation, const struct su_channel_level *current,
                   struct su_decision *decision, struct su_error *err)
{
        int r;

        r = check_current(situation, current, err);
        if (r < 0)
                return r;
        decision->level = current->level;
        if (!is_newer(&current->level, &situation->present)) {
                decision->course = SU_COURSE_STAY;
                return 0;
        }
        decision->course = SU_COURSE_INSTALL;
        decision->hold = find_hold(situation->knowledge, &current->level);
        decision->enforced = is_enforced(situation, current);
        return check_reach(situation, current, err);
}

int su_decide(const struct su_situation *situation, struct su_decision *ret, struct su_error *err)
{
        const struct su_channel *channel = situation->channel;
        const struct su_channel_level *present = su_channel_find(channel, &situation->present);
        const struct su_channel_level *current = NULL;
        struct su_decision decision = {0};
        int r;

        if (channel->current.name[0])
                current = su_channel_find(channel, &channel->current);
        if (present && present->recall_reason) {
                decision.recall_reason = present->recall_reason;
                r = leave(situation, current, &decision, err);
        } else {
                r = advance(situation, current, &decision, err);
        }
        if (r >= 0)
                *ret = decision;
        return r;
}

/* What was recalled before is recalled since then. */
static int keep_recall(struct su_refusals *recalls, const struct su_refusals *former,
                       const struct su_channel_level *level, struct su_error *err)
{
        const struct su_refused *known = su_refusals_find(former, &level->level);
        int r;

        r = su_refusals_add(recalls, &level->level, level->recall_reason, err);
        if (r >= 0 && known)
                recalls->levels[recalls->n_levels - 1].at = known->at;
        return r;
}

static int learn_recalls(struct su_knowledge *knowledge, const struct su_channel *channel,
                         struct su_error *err)
{
        struct su_refusals former = knowledge->recalls;
        int r = 0;

        knowledge->recalls = (struct su_refusals){0};
        for (size_t i = 0; i < channel->n_levels && r >= 0; i++)
                if (channel->levels[i].recall_reason)
                        r = keep_recall(&knowledge->recalls, &former, &channel->levels[i], err);
        su_refusals_done(&former);
        if (su_refusals_find(&knowledge->recalls, &knowledge->staged))
                knowledge->staged = (struct su_level){0};
        return r;
}

int su_knowledge_learn(struct su_knowledge *knowledge, const struct su_channel *channel,
                       struct su_error *err)
{
        if (channel->serial < knowledge->serial)
                return su_fail(err, SU_ERROR_ROLLBACK,
                               "the channel of %s is number %" PRId64 ", but number %" PRId64
                               " was seen here before",
                               channel->baseline, channel->serial, knowledge->serial);
        knowledge->serial = channel->serial;
        if (is_newer(&channel->floor, &knowledge->floor))
                knowledge->floor = channel->floor;
        return learn_recalls(knowledge, channel, err);
}
