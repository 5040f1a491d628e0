#include "cli/overview.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/translate.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "cli/verdict.h"

#define ATTENTIONS_MAX 3
#define ACTIONS_MAX 5

static void print_suspension(struct su_screen *screen, const struct su_suspension *suspension)
{
        const struct su_holder *holder = &suspension->holder;
        bool alive;

        if (su_holder_is_alive(holder, &alive, NULL) < 0)
                su_screen_say(screen, NULL,
                              _("%s (process %d) may still work on the system's packages"),
                              holder->name, (int)holder->pid);
        else if (alive)
                su_screen_say(screen, NULL, _("%s (process %d) works on the system's packages"),
                              holder->name, (int)holder->pid);
        else
                su_screen_say(screen, NULL, _("%s ended without a word: run 'suture resume'"),
                              holder->name);
}

static void print_os(struct su_screen *screen, const struct su_os *os)
{
        su_auto_free char *text = NULL;

        if (asprintf(&text, "%s, %s", os->name, os->architecture) >= 0)
                su_screen_entry(screen, _("System"), text);
}

static void print_system(struct su_screen *screen, const struct su_report *report)
{
        const struct su_engine *engine = report->engine;

        print_os(screen, &engine->os);
        su_screen_say(screen, _("Version"), "%s", report->version);
        su_screen_say(screen, _("State"), "%s", report->state);
        if (engine->state.suspension.holder.pid > 0)
                print_suspension(screen, &engine->state.suspension);
        else if (strcmp(report->state, "disabled") == 0)
                su_screen_say(screen, NULL,
                              _("suture.disable is on the kernel's command line: this boot goes "
                                "without"));
}

static void print_attentions(struct su_screen *screen, const struct su_attentions *attentions)
{
        for (size_t i = 0; i < attentions->n_items && i < ATTENTIONS_MAX; i++)
                su_screen_say(screen, i == 0 ? _("Needs you") : NULL, "%s",
                              attentions->items[i].message);
        if (attentions->n_items > ATTENTIONS_MAX)
                su_screen_say(screen, NULL, _("and %zu more: 'suture status --json'"),
                              attentions->n_items - ATTENTIONS_MAX);
}

/* The letters; why it is what needs a person says, as long as it matters. */
static void print_quarantine(struct su_screen *screen, const struct su_refusals *quarantine)
{
        const size_t n_shown = quarantine->n_levels < 10 ? quarantine->n_levels : 10;
        char text[10 * (sizeof(struct su_level) + 4)] = "";
        size_t size = 0;

        /* The newest are the last. */
        for (size_t i = quarantine->n_levels - n_shown; i < quarantine->n_levels; i++)
                size += (size_t)snprintf(text + size, sizeof text - size, "%s(%s)",
                                         size > 0 ? ", " : "", quarantine->levels[i].level.name);
        if (quarantine->n_levels > 0)
                su_screen_say(screen, _("Quarantine"), _("%s: failed here, not installed again"),
                              text);
}

static void print_levels(struct su_screen *screen, const struct su_knowledge *knowledge)
{
        print_quarantine(screen, &knowledge->quarantine);
        if (knowledge->removed.name[0])
                su_screen_say(screen, _("Removed"),
                              _("(%s), which is not installed again by itself"),
                              knowledge->removed.name);
        if (knowledge->staged.name[0])
                su_screen_say(screen, _("Staged"), _("(%s) waits to be installed"),
                              knowledge->staged.name);
}

static void print_waits(struct su_screen *screen, unsigned waits)
{
        const char *label = _("Waits for");

        for (size_t i = 0; i < SU_CONDITIONS; i++)
                if (waits & 1U << i) {
                        su_screen_say(screen, label, "%s", su_condition_wish(1U << i));
                        label = NULL;
                }
}

/* What waits for a restart, and until when. */
static void print_due(struct su_screen *screen, const struct su_report *report)
{
        const struct su_restart_policy *policy = &report->engine->config.restart;
        const int64_t since = report->engine->state.waiting_since;
        const char *needs = su_plan_needs(&report->review.survey.plan);
        char due[SU_TIME_TEXT_SIZE];
        char at[SU_TIME_TEXT_SIZE];

        if (!report->review.installed || since == 0)
                return;
        su_time_format(since, at);
        su_time_format(since + policy->deadline, due);
        if (policy->deadline == 0)
                su_screen_say(screen, NULL, _("waiting since %s; it needs: %s"), at, needs);
        else if (su_restart_is_overdue(policy, since, su_now()))
                su_screen_say(screen, NULL, _("waiting since %s, overdue since %s; it needs: %s"),
                              at, due, needs);
        else
                su_screen_say(screen, NULL, _("waiting since %s, due at %s; it needs: %s"), at, due,
                              needs);
}

/* Either may be zero, but not both. */
static void print_exposed(struct su_screen *screen, const struct su_report *report)
{
        const struct su_survey *survey = &report->review.survey;
        const size_t n_processes = su_exposure_count(&survey->exposure);
        const size_t n_units = survey->stale.n_units;
        const char *level = report->review.level.name;

        if (n_processes > 0)
                su_screen_say(screen, _("Exposure"),
                              su_plural("%zu process runs code that (%s) replaces",
                                        "%zu processes run code that (%s) replaces", n_processes),
                              n_processes, level);
        if (n_units > 0)
                su_screen_say(screen, n_processes > 0 ? NULL : _("Exposure"),
                              su_plural("%zu unit uses data that (%s) replaces",
                                        "%zu units use data that (%s) replaces", n_units),
                              n_units, level);
}

static void print_exposure(struct su_screen *screen, const struct su_report *report)
{
        const struct su_survey *survey = &report->review.survey;

        if (!report->exposure_known) {
                su_screen_say(screen, _("Exposure"), _("unknown: %s"), report->why_unknown.message);
        } else if (su_survey_is_waiting(survey)) {
                print_exposed(screen, report);
                print_due(screen, report);
        } else if (report->level.name[0]) {
                su_screen_say(screen, _("Exposure"), _("none: nothing is running old code"));
        }
}

/* What was kept of it; NULL: nothing. */
static char *tell_check(const struct su_report *report)
{
        const struct su_check_record *check = &report->engine->state.check;
        const bool is_offer = check->outcome && strcmp(check->outcome, "Offered") == 0;
        su_auto_free char *version = NULL;
        char *message = NULL;

        if (check->message &&
            su_engine_version(report->engine, is_offer ? &check->level : &report->level, &version,
                              NULL) >= 0)
                (void)su_output_message(check->message, version, &message, NULL);
        return message;
}

static void print_source(struct su_screen *screen, const struct su_report *report)
{
        const struct su_check_record *check = &report->engine->state.check;
        const char *repository = report->engine->config.repository;
        char at[SU_TIME_TEXT_SIZE];

        if (report->enforcement)
                su_screen_say(screen, _("Seals"), "%s",
                              strcmp(report->enforcement, "kernel") == 0
                                      ? _("enforced by the kernel at every read")
                                      : _("verified when put on /usr"));
        if (check->at > 0) {
                su_auto_free char *message = tell_check(report);

                su_time_format(check->at, at);
                su_screen_say(screen, _("Last check"), "%s: %s", at, message ? message : "");
        } else {
                su_screen_say(screen, _("Last check"), "%s", _("never"));
        }
        su_screen_entry(screen, _("Repository"), repository ? repository : _("none configured"));
}

/* Some of what ends the exposure, as far as there is room beside what is fixed. */
static void print_plan(struct su_screen *screen, const struct su_report *report)
{
        const struct su_plan *plan = &report->review.survey.plan;
        size_t n_shown = plan->n_actions < ACTIONS_MAX ? plan->n_actions : ACTIONS_MAX;

        if (!su_report_is_waiting(report) || plan->n_actions == 0)
                return;
        if (n_shown + 2 > su_screen_left(screen) / 2)
                n_shown = su_screen_left(screen) / 2 > 2 ? su_screen_left(screen) / 2 - 2 : 0;
        if (n_shown == 0)
                return;
        su_screen_line(screen, "%s", _("To do:"));
        for (size_t i = 0; i < n_shown; i++)
                su_screen_line(screen, "  %s", plan->actions[i].advice);
        if (plan->n_actions > n_shown)
                su_screen_line(screen, _("  and %zu more: 'suture exposure'"),
                               plan->n_actions - n_shown);
}

static size_t count_lines(const struct su_manifest *manifest)
{
        size_t count = manifest->n_components;

        for (size_t i = 0; i < manifest->n_components; i++)
                count += manifest->components[i].n_fixes;
        return count;
}

static void print_component(struct su_screen *screen, const struct su_component *component)
{
        const bool applies = component->fit == SU_FIT_APPLIES;

        su_auto_free char *text = NULL;

        if (asprintf(&text, su_plural("%s %s, %zu file", "%s %s, %zu files", component->n_files),
                     component->name, component->new_version, component->n_files) < 0)
                return;
        su_screen_line(screen, "  %s%s%s", text, applies ? "" : ": ",
                       applies ? "" : su_output_fit(component->fit));
}

static void print_fix(struct su_screen *screen, const struct su_fix *fix)
{
        su_screen_line(screen, "    %s%s%s", fix->id, fix->title ? "  " : "",
                       fix->title ? fix->title : "");
}

/* Components that are not in place are told before any that are. */
static void print_fixes(struct su_screen *screen, const struct su_manifest *manifest)
{
        const size_t n_lines = count_lines(manifest);
        const size_t room = su_screen_left(screen) > 1 ? su_screen_left(screen) - 1 : 0;
        const size_t n_shown = n_lines > room ? room - (room > 0) : n_lines;
        size_t n = 0;

        if (n_shown == 0)
                return;
        su_screen_line(screen, "%s", _("Fixed:"));
        for (unsigned in_place = 0; in_place < 2; in_place++) {
                for (size_t i = 0; i < manifest->n_components && n < n_shown; i++) {
                        const struct su_component *component = &manifest->components[i];

                        if ((component->fit == SU_FIT_APPLIES) != in_place)
                                continue;
                        print_component(screen, component);
                        n++;
                        for (size_t j = 0; j < component->n_fixes && n < n_shown; j++, n++)
                                print_fix(screen, &component->fixes[j]);
                }
        }
        if (n_lines > n_shown)
                su_screen_line(screen, _("  and %zu more: 'suture status --json'"),
                               n_lines - n_shown);
}

void su_overview_print(const struct su_report *report, const struct su_attentions *attentions)
{
        struct su_screen screen;
        char verdict[SU_VERDICT_SIZE];
        enum su_tone tone;

        su_screen_open(&screen);
        tone = su_verdict_make(report, verdict);
        su_screen_headline(&screen, tone, verdict);
        print_system(&screen, report);
        print_attentions(&screen, attentions);
        print_levels(&screen, &report->engine->state.knowledge);
        print_waits(&screen, report->engine->state.waits);
        print_exposure(&screen, report);
        print_source(&screen, report);
        print_plan(&screen, report);
        if (report->level.name[0])
                print_fixes(&screen, &report->manifest);
}
