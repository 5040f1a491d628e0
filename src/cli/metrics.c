/* The verb metrics: what a monitoring system collects, in the text format that both Prometheus
 * (node_exporter's textfile collector) and OpenMetrics 1.0 read. So all of them are gauges. */
#include <stdio.h>
#include <string.h>

#include "cli/report.h"
#include "cli/verbs.h"
#include "device/history.h"
#include "exposure/exposure.h"

static void print_head(const char *name, const char *help)
{
        (void)printf("# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void print_gauge(const char *name, const char *help, int64_t value)
{
        print_head(name, help);
        (void)printf("%s %lld\n", name, (long long)value);
}

/* Nothing of it has to be quoted: a baseline's name is made of what is safe in a file's. */
static void print_info(const struct su_report *report)
{
        print_head("suture_info", "What the system is at; the level is empty at the baseline.");
        (void)printf("suture_info{baseline=\"%s\",level=\"%s\",version=\"%s\",state=\"%s\"} 1\n",
                     report->engine->os.baseline, report->level.name, report->version,
                     report->state);
}

/* What root alone may see is left out for others: 0 would say that nobody is exposed. */
static void print_exposure(const struct su_report *report)
{
        const struct su_survey *survey = &report->review.survey;

        if (!report->exposure_known)
                return;
        print_gauge("suture_exposed_processes", "Processes that run code which was replaced.",
                    (int64_t)su_exposure_count(&survey->exposure));
        print_gauge("suture_stale_units", "Units that have read data which was replaced.",
                    (int64_t)survey->stale.n_units);
}

static void print_check(const struct su_check_record *check)
{
        if (check->at == 0)
                return;
        print_gauge("suture_last_check_timestamp_seconds", "When the repository was asked last.",
                    check->at);
        print_gauge("suture_last_check_success", "Whether it gave an answer that can be trusted.",
                    su_report_check_is_good(check));
}

static int64_t count_failures(const json_t *events)
{
        int64_t count = 0;
        const json_t *event;
        size_t i;

        json_array_foreach (events, i, event) {
                const char *outcome = json_string_value(json_object_get(event, "outcome"));

                count += !outcome || strcmp(outcome, "Ok") != 0;
        }
        return count;
}

static void print_all(const struct su_report *report, const json_t *events)
{
        const struct su_state *state = &report->engine->state;

        print_info(report);
        print_exposure(report);
        print_check(&state->check);
        print_gauge("suture_recalled", "Whether the publisher has recalled the level on /usr.",
                    su_report_recall(report) != NULL);
        print_gauge("suture_quarantined_levels", "Levels that were taken back on this system.",
                    (int64_t)state->knowledge.quarantine.n_levels);
        print_gauge("suture_boots_without_mark",
                    "Boots since the last one that reached the healthy mark.", state->boots.tries);
        print_gauge("suture_waiting_since_timestamp_seconds",
                    "Since when a restart is waited for; 0: none is.", state->waiting_since);
        print_gauge("suture_failed_changes", "Changes in the history that failed.",
                    count_failures(events));
        (void)puts("# EOF");
}

int su_verb_metrics(const struct su_arguments *arguments, struct su_error *err)
{
        su_auto_engine struct su_engine *engine = NULL;
        su_auto_report struct su_report report = {0};
        su_auto_json json_t *events = NULL;
        int r;

        if (arguments->json)
                return su_fail(err, SU_ERROR_USAGE, "'metrics' has no --json: see 'status'");
        r = su_engine_open(&arguments->engine, &engine, err);
        if (r >= 0)
                r = su_report_make(engine, true, &report, err);
        if (r >= 0)
                r = su_history_read(engine->state_fd, &events, err);
        if (r < 0)
                return r;
        print_all(&report, events);
        return 0;
}
