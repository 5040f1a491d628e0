#include "cli/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/translate.h"

#define DAY INT64_C(86400)
/* The repository is asked four times a day: who was not for so long does not know. */
#define FRESH (7 * DAY)

static enum su_tone say(char ret[SU_VERDICT_SIZE], enum su_tone tone, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* A translation may be long; what is cut ends with a whole character. */
static void cut_half_character(char *text)
{
        size_t size = strlen(text);

        while (size > 0 && ((unsigned char)text[size - 1] & 0xc0) == 0x80)
                size--;
        if (size > 0 && (unsigned char)text[size - 1] >= 0xc0)
                text[size - 1] = '\0';
}

static enum su_tone say(char ret[SU_VERDICT_SIZE], enum su_tone tone, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        if (vsnprintf(ret, SU_VERDICT_SIZE, format, ap) >= SU_VERDICT_SIZE)
                cut_half_character(ret);
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
                *ret_tone = say(ret, SU_TONE_BAD, _("Not protected: something else lies on /usr."));
        else if (is_at(report, "suspended") && engine->state.active == 0)
                *ret_tone = say(ret, SU_TONE_DOUBT, _("A package manager is at work."));
        else if (is_at(report, "suspended"))
                *ret_tone = say(ret, SU_TONE_DOUBT,
                                _("Not protected for now: a package manager is at work."));
        else if (is_at(report, "disabled"))
                *ret_tone = say(ret, SU_TONE_DOUBT,
                                _("Not protected: this boot goes without improvements."));
        else if (is_at(report, "inactive"))
                *ret_tone = say(ret, SU_TONE_BAD,
                                _("Not protected: level (%s) is installed, but not in place."),
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
                                _("Partly protected: /opt does not match /usr; 'suture install' "
                                  "mends it."));
        else if (level[0] && su_report_recall(report))
                *ret_tone =
                        say(ret, SU_TONE_BAD,
                            _("Level (%s) is in place, but its publisher has recalled it."), level);
        else if (level[0] && su_refusals_find(&knowledge->quarantine, &report->level))
                *ret_tone =
                        say(ret, SU_TONE_BAD, _("Level (%s) is in place, but failed here."), level);
        else if (missing > 0)
                *ret_tone = say(ret, SU_TONE_DOUBT,
                                su_plural("Partly protected: %zu of %zu components is missing; "
                                          "'suture install' mends that.",
                                          "Partly protected: %zu of %zu components are missing; "
                                          "'suture install' mends that.",
                                          missing),
                                missing, report->manifest.n_components);
        else
                return false;
        return true;
}

/* And what ends that. */
static enum su_tone say_who_runs_code(const char *needs, size_t n, char ret[SU_VERDICT_SIZE])
{
        const enum su_tone tone = SU_TONE_DOUBT;

        if (strcmp(needs, "restart") == 0)
                return say(ret, tone,
                           su_plural("%zu program still runs old code: it is restarted when that "
                                     "is due.",
                                     "%zu programs still run old code: they are restarted when "
                                     "that is due.",
                                     n),
                           n);
        if (strcmp(needs, "relaunch") == 0)
                return say(ret, tone,
                           su_plural("%zu program still runs old code: close and open it again.",
                                     "%zu programs still run old code: close and open them again.",
                                     n),
                           n);
        if (strcmp(needs, "soft-reboot") == 0)
                return say(ret, tone,
                           su_plural("%zu program still runs old code: 'systemctl soft-reboot' "
                                     "ends that.",
                                     "%zu programs still run old code: 'systemctl soft-reboot' "
                                     "ends that.",
                                     n),
                           n);
        if (strcmp(needs, "reboot") == 0)
                return say(ret, tone,
                           su_plural("%zu program still runs old code: a restart of this system "
                                     "ends that.",
                                     "%zu programs still run old code: a restart of this system "
                                     "ends that.",
                                     n),
                           n);
        return say(ret, tone,
                   su_plural("%zu program still runs old code: restart it.",
                             "%zu programs still run old code: restart them.", n),
                   n);
}

static enum su_tone say_who_uses_data(const char *needs, size_t n, char ret[SU_VERDICT_SIZE])
{
        const enum su_tone tone = SU_TONE_DOUBT;

        if (strcmp(needs, "restart") == 0)
                return say(ret, tone,
                           su_plural("%zu service still uses old data: it is restarted when that "
                                     "is due.",
                                     "%zu services still use old data: they are restarted when "
                                     "that is due.",
                                     n),
                           n);
        if (strcmp(needs, "soft-reboot") == 0)
                return say(ret, tone,
                           su_plural("%zu service still uses old data: 'systemctl soft-reboot' "
                                     "ends that.",
                                     "%zu services still use old data: 'systemctl soft-reboot' "
                                     "ends that.",
                                     n),
                           n);
        if (strcmp(needs, "reboot") == 0)
                return say(ret, tone,
                           su_plural("%zu service still uses old data: a restart of this system "
                                     "ends that.",
                                     "%zu services still use old data: a restart of this system "
                                     "ends that.",
                                     n),
                           n);
        return say(ret, tone,
                   su_plural("%zu service still uses old data: restart it.",
                             "%zu services still use old data: restart them.", n),
                   n);
}

static enum su_tone say_who_waits(const struct su_report *report, char ret[SU_VERDICT_SIZE])
{
        const struct su_survey *survey = &report->review.survey;
        const size_t n_programs = su_exposure_count(&survey->exposure);
        const char *needs = su_plan_needs(&survey->plan);

        return n_programs > 0 ? say_who_runs_code(needs, n_programs, ret)
                              : say_who_uses_data(needs, survey->stale.n_units, ret);
}

enum ignorance {
        KNOWS_ALL,
        HAS_NO_REPOSITORY,
        NEVER_ASKED,
        CHECK_FAILED,
        IS_BEHIND,
        CHECK_IS_OLD,
};

/* Why nobody knows that there is nothing newer, or that there is. */
static enum ignorance find_ignorance(const struct su_report *report)
{
        const struct su_check_record *check = &report->engine->state.check;

        if (!report->engine->config.repository)
                return HAS_NO_REPOSITORY;
        if (check->at == 0)
                return NEVER_ASKED;
        if (!su_report_check_is_good(check))
                return CHECK_FAILED;
        if (su_level_compare(&check->level, &report->level) > 0)
                return IS_BEHIND;
        return su_now() - check->at > FRESH ? CHECK_IS_OLD : KNOWS_ALL;
}

static size_t count_days(const struct su_check_record *check)
{
        return (size_t)((su_now() - check->at) / DAY);
}

static bool baseline_knows_no_more(const struct su_report *report, char ret[SU_VERDICT_SIZE])
{
        const struct su_check_record *check = &report->engine->state.check;
        const enum su_tone tone = SU_TONE_DOUBT;
        const size_t days = count_days(check);

        switch (find_ignorance(report)) {
        case HAS_NO_REPOSITORY:
                (void)say(ret, tone, _("Nothing is installed, and no repository is configured."));
                return false;
        case NEVER_ASKED:
                (void)say(ret, tone,
                          _("Nothing is installed, and the repository was never asked."));
                return false;
        case CHECK_FAILED:
                (void)say(ret, tone,
                          _("Nothing is installed, but it is not known whether there is more: the "
                            "last check failed."));
                return false;
        case IS_BEHIND:
                (void)say(ret, tone, _("Nothing is installed; level (%s) is offered."),
                          check->level.name);
                return false;
        case CHECK_IS_OLD:
                (void)say(ret, tone,
                          su_plural("Nothing is installed, but the last check was %zu day ago.",
                                    "Nothing is installed, but the last check was %zu days ago.",
                                    days),
                          days);
                return false;
        case KNOWS_ALL:
                break;
        }
        return true;
}

static bool level_knows_no_more(const struct su_report *report, char ret[SU_VERDICT_SIZE])
{
        const struct su_check_record *check = &report->engine->state.check;
        const enum su_tone tone = SU_TONE_DOUBT;
        const char *level = report->level.name;
        const size_t days = count_days(check);

        switch (find_ignorance(report)) {
        case HAS_NO_REPOSITORY:
                (void)say(ret, tone, _("Level (%s) is installed, and no repository is configured."),
                          level);
                return false;
        case NEVER_ASKED:
                (void)say(ret, tone,
                          _("Level (%s) is installed, and the repository was never asked."), level);
                return false;
        case CHECK_FAILED:
                (void)say(ret, tone,
                          _("Level (%s) is installed, but it is not known whether there is more: "
                            "the last check failed."),
                          level);
                return false;
        case IS_BEHIND:
                (void)say(ret, tone, _("Level (%s) is installed; level (%s) is offered."), level,
                          check->level.name);
                return false;
        case CHECK_IS_OLD:
                (void)say(ret, tone,
                          su_plural("Level (%s) is installed, but the last check was %zu day ago.",
                                    "Level (%s) is installed, but the last check was %zu days ago.",
                                    days),
                          level, days);
                return false;
        case KNOWS_ALL:
                break;
        }
        return true;
}

static enum su_tone judge_baseline(const struct su_report *report, char ret[SU_VERDICT_SIZE])
{
        const struct su_refusals *quarantine = &report->engine->state.knowledge.quarantine;

        if (quarantine->n_levels > 0)
                return say(ret, SU_TONE_DOUBT,
                           _("Nothing is installed: level (%s) failed here, and was taken back."),
                           quarantine->levels[quarantine->n_levels - 1].level.name);
        if (!baseline_knows_no_more(report, ret))
                return SU_TONE_DOUBT;
        return say(ret, SU_TONE_GOOD,
                   _("Up to date: nothing is installed, and nothing is offered to this machine."));
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
        enum su_tone tone;

        if (is_kept_off(report, ret, &tone) || is_doubtful(report, ret, &tone))
                return tone;
        if (!report->level.name[0])
                return judge_baseline(report, ret);
        if (su_report_is_waiting(report))
                return say_who_waits(report, ret);
        if (!level_knows_no_more(report, ret))
                return SU_TONE_DOUBT;
        if (!report->exposure_known)
                return say(ret, SU_TONE_PLAIN,
                           _("Level (%s) is installed; who runs old code is not known."),
                           report->level.name);
        if (is_at(report, "watched"))
                return say(ret, SU_TONE_GOOD,
                           _("Protected. Nothing is running old code; what was restarted is "
                             "watched."));
        return say(ret, SU_TONE_GOOD, _("Protected. Nothing is running old code."));
}
