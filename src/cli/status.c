#include "base/clock.h"
#include "cli/attention.h"
#include "cli/output.h"
#include "cli/overview.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "cli/verdict.h"
#include "device/history.h"

#define EVENTS_MAX 20 /* of the history: `suture history` has all */

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
        const struct su_state *state = &report->engine->state;
        const int64_t since = state->waiting_since;
        const int64_t now = su_now();
        const int64_t opens =
                su_restart_opens(policy, su_restart_put_off_until(state->restart_after, now));
        char due[SU_TIME_TEXT_SIZE];
        char open[SU_TIME_TEXT_SIZE];
        char at[SU_TIME_TEXT_SIZE];

        if (since == 0)
                return json_null();
        su_time_format(since, at);
        su_time_format(since + policy->deadline, due);
        su_time_format(opens, open);
        return json_pack("{s:s, s:s?, s:b, s:s?}", "since", at, "due",
                         policy->deadline ? due : NULL, "overdue",
                         su_restart_is_overdue(policy, since, now), "opens",
                         opens > now ? open : NULL);
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

static json_t *verdict_to_json(const struct su_report *report)
{
        char sentence[SU_VERDICT_SIZE];
        const enum su_tone tone = su_verdict_make(report, sentence);

        return json_pack("{s:s, s:s}", "tone", su_tone_name(tone), "sentence", sentence);
}

static json_t *policy_to_json(const struct su_admin_policy *policy)
{
        return json_pack("{s:b, s:b}", "install", !policy->forbids_install, "remove",
                         !policy->forbids_removal);
}

/* Of the ways to get each image the smallest: a device that has nothing to make it from needs more.
 */
static uint64_t least_download(const struct su_manifest *manifest)
{
        uint64_t sum = 0;

        for (size_t i = 0; i < manifest->n_components; i++) {
                const struct su_component *component = &manifest->components[i];
                uint64_t least = UINT64_MAX;

                for (size_t j = 0; j < component->n_deltas; j++)
                        if (component->deltas[j].object.size < least)
                                least = component->deltas[j].object.size;
                sum += least;
        }
        return sum;
}

static json_t *offer_to_json(const struct su_report *report, struct su_error *err)
{
        const struct su_manifest *offer = &report->offer;
        su_auto_free char *version = NULL;
        char created[SU_TIME_TEXT_SIZE];

        if (!offer->baseline)
                return json_null();
        if (su_engine_version(report->engine, &offer->level, &version, err) < 0)
                return NULL;
        su_time_format(offer->created, created);
        return json_pack("{s:s, s:s, s:s, s:I, s:o}", "level", offer->level.name, "version",
                         version, "created", created, "least_bytes",
                         (json_int_t)least_download(offer), "components",
                         su_output_components(offer));
}

static json_t *event_to_json(const json_t *event)
{
        static const char *const names[] = {"at",   "event", "outcome", "message",
                                            "from", "to",    "reason",  "changed"};
        su_auto_json json_t *json = json_object();

        for (size_t i = 0; i < SU_ELEMENTS(names); i++) {
                json_t *value = json_object_get(event, names[i]);

                if (json_object_set_new(json, names[i], value ? json_incref(value) : json_null()) <
                    0)
                        return NULL;
        }
        return su_take(json);
}

/* The newest first. One that cannot be read is no reason to say nothing of all the rest. */
static json_t *history_to_json(const struct su_engine *engine)
{
        su_auto_json json_t *events = NULL;
        su_auto_json json_t *array = json_array();
        size_t n;

        if (su_history_read(engine->state_fd, &events, NULL) < 0)
                return json_null();
        n = json_array_size(events);
        for (size_t i = n; i > 0 && n - i < EVENTS_MAX; i--)
                if (json_array_append_new(array, event_to_json(json_array_get(events, i - 1))) < 0)
                        return NULL;
        return su_take(array);
}

/* One field after another; a document that lacks one is none. Takes over `value`. */
static void add(json_t **document, const char *name, json_t *value)
{
        if (!*document) {
                json_decref(value);
        } else if (json_object_set_new(*document, name, value) < 0) {
                json_decref(*document);
                *document = NULL;
        }
}

static json_t *baseline_to_json(const struct su_os *os)
{
        return json_pack("{s:s, s:s, s:s, s:s}", "name", os->baseline, "os", os->name, "os_version",
                         os->version, "architecture", os->architecture);
}

static json_t *text_or_null(const char *text)
{
        return text ? json_string(text) : json_null();
}

/* What is installed, what is offered, and what is done about it. */
static void add_levels(json_t **document, const struct su_report *report, struct su_error *err)
{
        const struct su_engine *engine = report->engine;
        const struct su_knowledge *knowledge = &engine->state.knowledge;

        add(document, "baseline", baseline_to_json(&engine->os));
        add(document, "version", json_string(report->version));
        add(document, "level", su_output_level(&report->level));
        add(document, "state", json_string(report->state));
        add(document, "generation", json_integer((json_int_t)engine->mounted));
        add(document, "components", su_output_components(&report->manifest));
        add(document, "offer", offer_to_json(report, err));
        add(document, "floor", su_output_level(&knowledge->floor));
        add(document, "staged", su_output_level(&knowledge->staged));
        add(document, "removed", su_output_level(&knowledge->removed));
        add(document, "recalls", refusals_to_json(&knowledge->recalls));
        add(document, "quarantine", refusals_to_json(&knowledge->quarantine));
        add(document, "history", history_to_json(engine));
}

/* Who still uses what was, or would be, replaced. */
static void add_exposure(json_t **document, const struct su_report *report)
{
        const struct su_survey *survey = &report->review.survey;
        const bool known = report->exposure_known;

        add(document, "exposure_known", json_boolean(known));
        add(document, "exposed", known ? su_output_exposure(&survey->exposure) : json_null());
        add(document, "stale", known ? su_output_stale(&survey->stale) : json_null());
        add(document, "plan", known ? su_output_plan(&survey->plan) : json_null());
        add(document, "needs", text_or_null(known ? su_plan_needs(&survey->plan) : NULL));
        add(document, "waiting", waiting_to_json(report));
}

static void add_circumstances(json_t **document, const struct su_report *report)
{
        const struct su_engine *engine = report->engine;

        add(document, "automatic", automatic_to_json(&engine->config));
        add(document, "waits", su_conditions_to_json(engine->state.waits));
        add(document, "policy", policy_to_json(&engine->config.policy));
        add(document, "last_check", check_to_json(&engine->state.check));
        add(document, "repository", text_or_null(engine->config.repository));
        add(document, "conflict",
            text_or_null(engine->conflict.code ? engine->conflict.message : NULL));
        add(document, "seal_enforcement", text_or_null(report->enforcement));
        add(document, "boots_without_mark", json_integer((json_int_t)engine->state.boots.tries));
}

static int print_json(const struct su_report *report, const struct su_attentions *attentions,
                      struct su_error *err)
{
        json_t *document = json_object();

        add(&document, "verdict", verdict_to_json(report));
        add(&document, "attention", su_attentions_to_json(attentions));
        add_levels(&document, report, err);
        add_exposure(&document, report);
        add_circumstances(&document, report);
        if (!document && err->code != SU_OK)
                return -EIO;
        return su_output_json(document, err);
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
