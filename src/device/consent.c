#include "device/consent.h"

#include "base/clock.h"

static int withhold(const struct su_offer *offer, const char *why, struct su_error *err)
{
        return su_fail(err, SU_ERROR_WITHHELD, "%s: %s", offer->message, why);
}

/* What has to wait for its time is made ready until then. */
static void note_conditions(struct su_task *task, const struct su_offer *offer)
{
        const struct su_condition_policy *policy = &task->engine->config.conditions;
        const struct su_surroundings *surroundings = &task->options->surroundings;
        const bool enforced = offer->decision.enforced;

        task->waits_to_download = su_conditions_of_download(policy, surroundings, enforced);
        task->waits_to_install = su_conditions_of_install(policy, surroundings, enforced, su_now());
        task->download_only |= task->waits_to_install != 0;
}

/* What only a person may do. */
static int check_unattended(struct su_task *task, const struct su_offer *offer,
                            struct su_error *err)
{
        const struct su_config *config = &task->engine->config;

        if (offer->recalled)
                return config->recall_asks
                               ? withhold(offer, "recalls wait for a person (suture install)", err)
                               : 0;
        note_conditions(task, offer);
        if (offer->decision.enforced)
                return 0;
        if (offer->decision.hold == SU_HOLD_REMOVED)
                return withhold(offer, "a person may (suture install)", err);
        if (config->automatic < SU_AUTOMATIC_DOWNLOAD)
                return withhold(
                        offer, "automatic installation is off; a person may (suture install)", err);
        task->download_only |= config->automatic < SU_AUTOMATIC_INSTALL;
        return 0;
}

static int check_quarantine(struct su_task *task, const struct su_offer *offer,
                            struct su_error *err)
{
        struct su_refusals *quarantine = &task->engine->state.knowledge.quarantine;
        const struct su_refused *refused = su_refusals_find(quarantine, &offer->decision.level);

        if (!refused || offer->decision.course != SU_COURSE_INSTALL)
                return 0;
        if (task->options->force) {
                su_refusals_drop(quarantine, &offer->decision.level);
                return 0;
        }
        return su_fail(
                err, SU_ERROR_QUARANTINED,
                "level (%s) was taken back here, for %s; it is not tried again without --force",
                refused->level.name, refused->reason);
}

/* What nobody may do here. Leaving a recalled level is no installation. */
static int check_policy(struct su_task *task, const struct su_offer *offer, struct su_error *err)
{
        if (!task->engine->config.policy.forbids_install || offer->recalled)
                return 0;
        return su_fail(err, SU_ERROR_MANAGED,
                       "%s, but this system's administrator does not allow installations "
                       "(AllowInstall=)",
                       offer->message);
}

int su_consent_check(struct su_task *task, const struct su_offer *offer, struct su_error *err)
{
        int r;

        r = check_policy(task, offer, err);
        if (r >= 0)
                r = check_quarantine(task, offer, err);
        if (r >= 0 && task->options->unattended)
                r = check_unattended(task, offer, err);
        return r;
}
