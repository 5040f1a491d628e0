#include "cli/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define DAY INT64_C(86400)
/* The repository is asked four times a day: who was not for so long does not know. */
#define FRESH (7 * DAY)

static enum su_tone say(char ret[SU_VERDICT_SIZE], enum su_tone tone, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static enum su_tone say(char ret[SU_VERDICT_SIZE], enum su_tone tone, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(ret, SU_VERDICT_SIZE, format, ap);
        va_end(ap);
        return tone;
}

static bool is_at(const struct su_report *report, const char *state)
{
        return strcmp(report->state, state) == 0;
}

/* What keeps off /usr what is installed. */
static bool is_kept_off(const struct su_report *report, char ret[SU_VERDICT_SIZE],
                        enum su_tone *ret_tone)
{
        const struct su_engine *engine = report->engine;

        if (engine->conflict.code != SU_OK)
                *ret_tone = say(ret, SU_TONE_BAD, "Not protected: something else lies on /usr.");
        else if (is_at(report, "suspended") && engine->state.active == 0)
                *ret_tone = say(ret, SU_TONE_DOUBT, "A package manager is at work.");
        else if (is_at(report, "suspended"))
                *ret_tone = say(ret, SU_TONE_DOUBT,
                                "Not protected for now: a package manager is at work.");
        else if (is_at(report, "disabled"))
                *ret_tone = say(ret, SU_TONE_DOUBT,
                                "Not protected: this boot goes without improvements.");
        else if (is_at(report, "inactive"))
                *ret_tone = say(ret, SU_TONE_BAD,
                                "Not protected: level (%s) is installed, but not in place.",
                                engine->state.level.name);
        else
                return false;
        return true;
}

static size_t count_missing(const struct su_manifest *manifest)
{
        size_t count = 0;

        for (size_t i = 0; i < manifest->n_components; i++)
                count += manifest->components[i].fit == SU_FIT_MISSING;
        return count;
}

/* What is wrong with the level on /usr. */
static bool is_doubtful(const struct su_report *report, char ret[SU_VERDICT_SIZE],
                        enum su_tone *ret_tone)
{
        const struct su_knowledge *knowledge = &report->engine->state.knowledge;
        const size_t missing = count_missing(&report->manifest);
        const char *level = report->level.name;

        if (is_at(report, "incomplete"))
                *ret_tone = say(ret, SU_TONE_BAD,
                                "Partly protected: /opt does not match /usr; 'suture install' "
                                "mends it.");
        else if (level[0] && su_report_recall(report))
                *ret_tone =
                        say(ret, SU_TONE_BAD,
                            "Level (%s) is in place, but its publisher has recalled it.", level);
        else if (level[0] && su_refusals_find(&knowledge->quarantine, &report->level))
                *ret_tone =
                        say(ret, SU_TONE_BAD, "Level (%s) is in place, but failed here.", level);
        else if (missing > 0)
                *ret_tone =
                        say(ret, SU_TONE_DOUBT,
                            "Partly protected: %zu of %zu components %s missing; 'suture "
                            "install' mends that.",
                            missing, report->manifest.n_components, missing == 1 ? "is" : "are");
        else
                return false;
        return true;
}

/* What ends the use of old code by one, or by several. */
static const char *find_remedy(const struct su_plan *plan, bool is_one)
{
        static const struct {
                const char *needs;
                const char *remedies[2];
        } rows[] = {
                {"restart",
                 {"they are restarted when that is due", "it is restarted when that is due"}},
                {"relaunch", {"close and open them again", "close and open it again"}},
                {"soft-reboot",
                 {"'systemctl soft-reboot' ends that", "'systemctl soft-reboot' ends that"}},
                {"reboot",
                 {"a restart of this system ends that", "a restart of this system ends that"}},
        };
        const char *needs = su_plan_needs(plan);

        for (size_t i = 0; i < SU_ELEMENTS(rows); i++)
                if (strcmp(rows[i].needs, needs) == 0)
                        return rows[i].remedies[is_one];
        return is_one ? "restart it" : "restart them";
}

static enum su_tone say_who_waits(const struct su_report *report, char ret[SU_VERDICT_SIZE])
{
        const struct su_survey *survey = &report->review.survey;
        const size_t n_programs = su_exposure_count(&survey->exposure);
        const size_t n = n_programs > 0 ? n_programs : survey->stale.n_units;

        return say(ret, SU_TONE_DOUBT, "%zu %s%s still %s: %s.", n,
                   n_programs > 0 ? "program" : "service", n == 1 ? "" : "s",
                   n_programs > 0 ? (n == 1 ? "runs old code" : "run old code")
                                  : (n == 1 ? "uses old data" : "use old data"),
                   find_remedy(&survey->plan, n == 1));
}

/* Whether somebody knows that there is nothing newer; `begin` is what the sentence begins with. */
static bool knows_no_more(const struct su_report *report, const char *begin,
                          char ret[SU_VERDICT_SIZE])
{
        const struct su_check_record *check = &report->engine->state.check;
        const int64_t age = su_now() - check->at;

        if (!report->engine->config.repository)
                (void)say(ret, SU_TONE_DOUBT, "%s, and no repository is configured.", begin);
        else if (check->at == 0)
                (void)say(ret, SU_TONE_DOUBT, "%s, and the repository was never asked.", begin);
        else if (!su_report_check_is_good(check))
                (void)say(ret, SU_TONE_DOUBT,
                          "%s, but it is not known whether there is more: the last check failed.",
                          begin);
        else if (su_level_compare(&check->level, &report->level) > 0)
                (void)say(ret, SU_TONE_DOUBT, "%s; level (%s) is offered.", begin,
                          check->level.name);
        else if (age > FRESH)
                (void)say(ret, SU_TONE_DOUBT, "%s, but the last check was %lld days ago.", begin,
                          (long long)(age / DAY));
        else
                return true;
        return false;
}

static enum su_tone judge_baseline(const struct su_report *report, char ret[SU_VERDICT_SIZE])
{
        const struct su_refusals *quarantine = &report->engine->state.knowledge.quarantine;

        if (quarantine->n_levels > 0)
                return say(ret, SU_TONE_DOUBT,
                           "Nothing is installed: level (%s) failed here, and was taken back.",
                           quarantine->levels[quarantine->n_levels - 1].level.name);
        if (!knows_no_more(report, "Nothing is installed", ret))
                return SU_TONE_DOUBT;
        return say(ret, SU_TONE_GOOD,
                   "Up to date: nothing is installed, and nothing is offered to this machine.");
}

const char *su_tone_name(enum su_tone tone)
{
        static const char *const names[] = {
                [SU_TONE_PLAIN] = "plain",
                [SU_TONE_GOOD] = "good",
                [SU_TONE_DOUBT] = "doubt",
                [SU_TONE_BAD] = "bad",
        };

        return names[tone];
}

enum su_tone su_verdict_make(const struct su_report *report, char ret[SU_VERDICT_SIZE])
{
        char begin[SU_VERDICT_SIZE / 2];
        enum su_tone tone;

        if (is_kept_off(report, ret, &tone) || is_doubtful(report, ret, &tone))
                return tone;
        if (!report->level.name[0])
                return judge_baseline(report, ret);
        if (su_report_is_waiting(report))
                return say_who_waits(report, ret);
        (void)snprintf(begin, sizeof begin, "Level (%s) is installed", report->level.name);
        if (!knows_no_more(report, begin, ret))
                return SU_TONE_DOUBT;
        if (!report->exposure_known)
                return say(ret, SU_TONE_PLAIN, "%s; who runs old code is not known.", begin);
        return say(ret, SU_TONE_GOOD, "Protected. Nothing is running old code%s.",
                   is_at(report, "watched") ? "; what was restarted is watched" : "");
}
