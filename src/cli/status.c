#include "base/clock.h"
#include "cli/attention.h"
#include "cli/output.h"
#include "cli/overview.h"
#include "cli/report.h"
#include "cli/verbs.h"

static json_t *check_to_json(const struct su_check_record *check)
{
        char at[SU_TIME_TEXT_SIZE];

        if (check->at == 0)
                return json_null();
        su_time_format(check->at, at);
        return json_pack("{s:s, s:s?, s:s?, s:o}", "at", at, "outcome", check->outcome, "message",
                         check->message, "level", su_output_level(&check->level));
}

static json_t *waiting_to_json(const struct su_report *report)
{
        const struct su_restart_policy *policy = &report->engine->config.restart;
        int64_t since = report->engine->state.waiting_since;
        char due[SU_TIME_TEXT_SIZE];
        char at[SU_TIME_TEXT_SIZE];

        if (since == 0)
                return json_null();
        su_time_format(since, at);
        su_time_format(since + policy->deadline, due);
        return json_pack("{s:s, s:s?, s:b}", "since", at, "due", policy->deadline ? due : NULL,
                         "overdue", su_restart_is_overdue(policy, since, su_now()));
}

static json_t *refusals_to_json(const struct su_refusals *refusals)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < refusals->n_levels; i++) {
                const struct su_refused *refused = &refusals->levels[i];
                char at[SU_TIME_TEXT_SIZE];

                su_time_format(refused->at, at);
                if (json_array_append_new(array,
                                          json_pack("{s:s, s:s, s:s}", "level", refused->level.name,
                                                    "at", at, "reason", refused->reason)) < 0)
                        return NULL;
        }
        return su_take(array);
}

/* What is done by itself, and whether somebody else than this device's owner says so. */
static json_t *automatic_to_json(const struct su_config *config)
{
        const struct su_config_value *value = su_config_find(config, "Automatic", "Level");

        return json_pack("{s:s, s:b}", "level", su_automatic_name(config->automatic), "managed",
                         value && value->managed);
}

static int print_json(const struct su_report *report, const struct su_attentions *attentions,
                      struct su_error *err)
{
        const struct su_engine *engine = report->engine;
        const struct su_survey *survey = &report->review.survey;
        const struct su_knowledge *knowledge = &engine->state.knowledge;
        const bool known = report->exposure_known;

        return su_output_json(
                json_pack(
                        "{s:o, s:o, s:{s:s, s:s, s:s, s:s}, s:s, s:o, s:s, s:I, s:o, s:b, s:o, "
                        "s:o, s:s?, "
                        "s:o, s:o, "
                        "s:s?, s:s?, s:s?, s:o, s:o, s:o, s:o, s:o, s:I, s:o}",
                        "automatic", automatic_to_json(&engine->config), "waits",
                        su_conditions_to_json(engine->state.waits), "baseline", "name",
                        engine->os.baseline, "os", engine->os.name, "os_version",
                        engine->os.version, "architecture", engine->os.architecture, "version",
                        report->version, "level", su_output_level(&report->level), "state",
                        report->state, "generation", (json_int_t)engine->mounted, "components",
                        su_output_components(&report->manifest), "exposure_known", known, "exposed",
                        known ? su_output_exposure(&survey->exposure) : json_null(), "stale",
                        known ? su_output_stale(&survey->stale) : json_null(), "needs",
                        known ? su_plan_needs(&survey->plan) : NULL, "waiting",
                        waiting_to_json(report), "last_check", check_to_json(&engine->state.check),
                        "repository", engine->config.repository, "conflict",
                        engine->conflict.code ? engine->conflict.message : NULL, "seal_enforcement",
                        report->enforcement, "floor", su_output_level(&knowledge->floor), "staged",
                        su_output_level(&knowledge->staged), "removed",
                        su_output_level(&knowledge->removed), "recalls",
                        refusals_to_json(&knowledge->recalls), "quarantine",
                        refusals_to_json(&knowledge->quarantine), "boots_without_mark",
                        (json_int_t)engine->state.boots.tries, "attention",
                        su_attentions_to_json(attentions)),
                err);
}

int su_verb_status(const struct su_arguments *arguments, struct su_error *err)
{
        su_auto_engine struct su_engine *engine = NULL;
        su_auto_report struct su_report report = {0};
        su_auto_attentions struct su_attentions attentions = {0};
        int r;

        r = su_engine_open(&arguments->engine, &engine, err);
        if (r >= 0)
                r = su_report_make(engine, true, &report, err);
        if (r >= 0)
                r = su_attention_find(&report, &attentions, err);
        if (r < 0)
                return r;
        if (arguments->json)
                return print_json(&report, &attentions, err);
        su_overview_print(&report, &attentions);
        return 0;
}
