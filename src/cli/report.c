#include "cli/report.h"

#include <string.h>

#include "device/history.h"
#include "device/image_store.h"
#include "device/transition.h"

void su_report_done(struct su_report *report)
{
        free(report->version);
        su_manifest_done(&report->manifest);
        su_manifest_done(&report->offer);
        su_review_done(&report->review);
        json_decref(report->events);
}

const struct su_refused *su_report_recall(const struct su_report *report)
{
        return su_refusals_find(&report->engine->state.knowledge.recalls, &report->level);
}

bool su_report_is_refusal(const char *outcome)
{
        static const char *const refusals[] = {"Signature", "Expired", "Rollback",
                                               "Format",    "Digest",  "NotLogged"};

        for (size_t i = 0; i < SU_ELEMENTS(refusals); i++)
                if (outcome && strcmp(outcome, refusals[i]) == 0)
                        return true;
        return false;
}

bool su_report_check_is_good(const struct su_check_record *check)
{
        static const char *const outcomes[] = {"Offered", "UpToDate", "Recalled", "NotOffered"};

        for (size_t i = 0; i < SU_ELEMENTS(outcomes); i++)
                if (check->outcome && strcmp(check->outcome, outcomes[i]) == 0)
                        return true;
        return false;
}

bool su_report_is_waiting(const struct su_report *report)
{
        return report->exposure_known && report->review.installed &&
               su_survey_is_waiting(&report->review.survey);
}

static const char *name_state(const struct su_report *report)
{
        const struct su_engine *engine = report->engine;

        if (engine->state.suspension.holder.pid > 0)
                return "suspended";
        if (engine->disabled && engine->mounted == 0)
                return "disabled";
        if (engine->state.active > 0 && engine->mounted != engine->state.active)
                return "inactive";
        if (!su_transition_is_whole(engine, report->manifest.baseline ? &report->manifest : NULL))
                return "incomplete";
        if (!report->level.name[0])
                return "baseline";
        if (su_report_recall(report))
                return "recalled";
        if (engine->mounted > 0 && engine->state.watched.generation == engine->mounted)
                return "watched";
        if (su_report_is_waiting(report))
                return "waiting";
        return "active";
}

/* The kernel at each read, or only we when an image is activated: the weakest one counts. */
static const char *name_enforcement(const struct su_report *report)
{
        const struct su_manifest *manifest = &report->manifest;

        if (su_manifest_count_applying(manifest) == 0)
                return NULL;
        for (size_t i = 0; i < manifest->n_components; i++)
                if (manifest->components[i].fit == SU_FIT_APPLIES &&
                    !su_image_store_enforces(report->engine->state_fd,
                                             &manifest->components[i].image))
                        return "activation";
        return "kernel";
}

/* Only who has something to tell of is looked up there: it may be long. */
static int find_events(struct su_report *report, struct su_error *err)
{
        const struct su_engine *engine = report->engine;

        return engine->state.knowledge.quarantine.n_levels == 0
                       ? 0
                       : su_history_read(engine->state_fd, &report->events, err);
}

int su_report_make(const struct su_engine *engine, bool with_exposure, struct su_report *ret,
                   struct su_error *err)
{
        int r;

        ret->engine = engine;
        ret->level = su_engine_level(engine);
        r = su_engine_version(engine, &ret->level, &ret->version, err);
        if (r >= 0)
                r = su_review_active(engine, &ret->manifest, err);
        if (r >= 0)
                r = su_review_offered(engine, &ret->offer, err);
        if (r >= 0)
                r = find_events(ret, err);
        if (r < 0)
                return r;
        if (with_exposure)
                ret->exposure_known = su_review_make(engine, &ret->review, &ret->why_unknown) >= 0;
        ret->state = name_state(ret);
        ret->enforcement = name_enforcement(ret);
        return 0;
}
