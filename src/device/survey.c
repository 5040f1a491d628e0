#include "device/survey.h"

#include "device/store.h"
#include "exposure/oldcode.h"
#include "restart/rules.h"

static int find_owners(const struct su_units *units, struct su_exposure *exposure,
                       struct su_error *err)
{
        for (size_t i = 0; i < exposure->n_processes; i++) {
                struct su_exposed_process *process = &exposure->processes[i];
                int r;

                r = units->find_owner(units->userdata, process->pid, &process->owner, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int look(const struct su_engine *engine, const struct su_manifest *from,
                const struct su_manifest *to, const struct su_moment *changed,
                struct su_survey *survey, struct su_error *err)
{
        su_auto_rules struct su_rules rules = {0};
        int r;

        r = su_restart_rules_load(engine->root_fd, from, to, &rules, err);
        if (r >= 0)
                r = su_store_load_manifests(engine->state_fd, engine->os.baseline, false,
                                            &survey->former, err);
        if (r >= 0)
                r = su_old_code_between(from, to, &survey->former, &survey->old_code, err);
        if (r >= 0)
                r = su_exposure_scan(engine->root, &survey->old_code, NULL, &survey->exposure, err);
        if (r >= 0)
                r = find_owners(engine->units, &survey->exposure, err);
        if (r >= 0)
                r = su_stale_find(from, to, &rules, engine->units, changed, &survey->stale, err);
        if (r >= 0)
                r = su_plan_make(&survey->exposure, &survey->stale, &rules, engine->units,
                                 &survey->plan, err);
        return r;
}

int su_survey_make(const struct su_engine *engine, const struct su_manifest *from,
                   const struct su_manifest *to, const struct su_moment *changed,
                   struct su_survey *ret, struct su_error *err)
{
        struct su_survey survey = {0};
        int r;

        /* It is us, and no process that anybody is to restart. */
        su_fetch_rest(engine->fetch);
        r = look(engine, from, to, changed, &survey, err);
        if (r < 0) {
                su_survey_done(&survey);
                return r;
        }
        *ret = survey;
        return 0;
}

void su_survey_done(struct su_survey *survey)
{
        su_plan_done(&survey->plan);
        su_stale_done(&survey->stale);
        su_exposure_done(&survey->exposure);
        su_old_code_done(&survey->old_code);
        su_manifest_list_done(&survey->former);
        *survey = (struct su_survey){0};
}

bool su_survey_is_waiting(const struct su_survey *survey)
{
        return su_exposure_count(&survey->exposure) > 0 || survey->stale.n_units > 0;
}
