#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/attention.h"
#include "cli/output.h"
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

/* What waits for a restart, and until when. */
static void print_due(const struct su_report *report)
{
        const struct su_restart_policy *policy = &report->engine->config.restart;
        int64_t since = report->engine->state.waiting_since;
        char at[SU_TIME_TEXT_SIZE];

        if (!report->review.installed || since == 0)
                return;
        su_time_format(since, at);
        (void)printf("            waiting since %s; it needs: %s\n", at,
                     su_plan_needs(&report->review.survey.plan));
        if (policy->deadline == 0)
                return;
        su_time_format(since + policy->deadline, at);
        (void)printf("            %s: %s\n",
                     su_restart_is_overdue(policy, since, su_now()) ? "overdue since" : "due at",
                     at);
}

static void print_exposure(const struct su_report *report)
{
        size_t count = su_exposure_count(&report->review.survey.exposure);

        if (!report->exposure_known) {
                (void)printf("Exposure:   unknown: %s\n", report->why_unknown.message);
        } else if (su_survey_is_waiting(&report->review.survey)) {
                (void)printf("Exposure:   %zu processes run code that (%s) replaces, %zu units use "
                             "its data; see 'suture exposure'\n",
                             count, report->review.level.name, report->review.survey.stale.n_units);
                print_due(report);
        } else if (report->level.name[0]) {
                (void)puts("Exposure:   none: nothing is running old code");
        }
}

static void print_suspension(const struct su_suspension *suspension)
{
        bool alive;

        if (su_holder_is_alive(&suspension->holder, &alive, NULL) < 0)
                (void)printf(
                        "            %s (process %d) may still work on the system's packages\n",
                        suspension->holder.name, (int)suspension->holder.pid);
        else if (alive)
                (void)printf("            %s (process %d) works on the system's packages\n",
                             suspension->holder.name, (int)suspension->holder.pid);
        else
                (void)printf("            %s ended without a word: run 'suture resume'\n",
                             suspension->holder.name);
}

/* What keeps the level on /usr, or another one, from being what it should be. */
static void print_refusals(const struct su_report *report)
{
        const struct su_knowledge *knowledge = &report->engine->state.knowledge;
        const struct su_refused *recall = su_report_recall(report);

        if (recall)
                (void)printf("            (%s) was recalled: %s; 'suture install' leaves it\n",
                             recall->level.name, recall->reason);
        for (size_t i = 0; i < knowledge->quarantine.n_levels; i++)
                (void)printf("Quarantine: (%s): %s\n", knowledge->quarantine.levels[i].level.name,
                             knowledge->quarantine.levels[i].reason);
        if (knowledge->removed.name[0])
                (void)printf("Removed:    (%s), which is not installed again by itself\n",
                             knowledge->removed.name);
        for (size_t i = 0; i < SU_CONDITIONS; i++)
                if (report->engine->state.waits & 1U << i)
                        (void)printf("Waits for:  %s\n", su_condition_wish(1U << i));
        if (knowledge->staged.name[0])
                (void)printf("Staged:     (%s) waits to be installed\n", knowledge->staged.name);
}

static void print_inactive(const struct su_engine *engine)
{
        if (engine->disabled)
                (void)puts("            suture.disable is on the kernel's command line: this boot "
                           "goes without");
        else
                (void)printf("            level (%s) is installed, but not on /usr since the "
                             "system started: run 'suture activate'\n",
                             engine->state.level.name);
}

static void print_enforcement(const struct su_report *report)
{
        if (report->enforcement)
                (void)printf("Seals:      %s\n", strcmp(report->enforcement, "kernel") == 0
                                                         ? "enforced by the kernel at every read"
                                                         : "verified when put on /usr");
}

static void print_text(const struct su_report *report)
{
        const struct su_engine *engine = report->engine;
        const struct su_check_record *check = &engine->state.check;
        char at[SU_TIME_TEXT_SIZE];

        (void)printf("System:     %s, %s\n", engine->os.name, engine->os.architecture);
        (void)printf("Version:    %s\n", report->version);
        (void)printf("State:      %s\n", report->state);
        if (engine->state.suspension.holder.pid > 0)
                print_suspension(&engine->state.suspension);
        else if (engine->state.active > 0 && engine->mounted != engine->state.active)
                print_inactive(engine);
        print_refusals(report);
        if (engine->conflict.code)
                (void)printf("Conflict:   %s\n", engine->conflict.message);
        print_enforcement(report);
        print_exposure(report);
        if (check->at > 0) {
                su_time_format(check->at, at);
                (void)printf("Last check: %s: %s\n", at, check->message ? check->message : "");
        } else {
                (void)puts("Last check: never");
        }
        (void)printf("Repository: %s\n",
                     engine->config.repository ? engine->config.repository : "none configured");
        if (report->level.name[0]) {
                (void)puts("Fixed:");
                su_print_fixes(&report->manifest, "  ");
        }
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
        print_text(&report);
        return 0;
}
