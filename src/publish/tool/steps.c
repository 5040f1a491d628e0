#include "publish/tool/steps.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/process.h"
#include "base/text.h"

static int join(char *const *words, size_t n_words, char **ret, struct su_error *err)
{
        int r;

        r = su_strdup("", ret, err);
        for (size_t i = 0; i < n_words && r >= 0; i++) {
                su_auto_free char *before = su_take(*ret);

                r = su_format(ret, err, "%s%s%s", before, i > 0 ? " " : "", words[i]);
        }
        return r;
}

static char *skip_blanks(char *text)
{
        while (isspace((unsigned char)*text))
                text++;
        return text;
}

/* "10", "10%" or "10 %"; what comes after it. */
static char *read_percent(char *text, int *ret)
{
        char *end;
        long percent;

        text = skip_blanks(text);
        if (!isdigit((unsigned char)*text))
                return NULL;
        percent = strtol(text, &end, 10);
        if (percent > 100)
                return NULL;
        end = skip_blanks(end);
        if (*end == '%')
                end++;
        *ret = (int)percent;
        return skip_blanks(end);
}

static char *skip_preposition(char *text)
{
        static const char *const words[] = {"on ", "at ", "in ", "from "};

        for (size_t i = 0; i < SU_ELEMENTS(words); i++)
                if (su_starts_with(text, words[i]))
                        return skip_blanks(text + strlen(words[i]));
        return text;
}

/* The same program that people try such words with. */
static int read_time(const char *text, int64_t *ret, struct su_error *err)
{
        su_auto_free char *argument = NULL;
        su_auto_free char *output = NULL;
        const char *argv[] = {"date", NULL, "+%s", NULL};
        char *end;
        int r;

        r = su_format(&argument, err, "--date=%s", text);
        if (r < 0)
                return r;
        argv[1] = argument;
        if (su_process_run(argv, &output, NULL, NULL) < 0)
                return su_fail(err, SU_ERROR_USAGE, "date(1) does not know when '%s' is", text);
        *ret = strtoll(output, &end, 10);
        return *ret > 0 && *end == '\n' ? 0 : su_fail(err, SU_ERROR_USAGE, "'%s' is no time", text);
}

static int read_step(char *text, struct su_rollout_step *ret, struct su_error *err)
{
        char *when = read_percent(text, &ret->percent);

        if (!when)
                return su_fail(err, SU_ERROR_USAGE, "'%s' does not begin with 0 to 100 %%", text);
        when = skip_preposition(when);
        if (!*when)
                return su_fail(err, SU_ERROR_USAGE,
                               "when are %d %% to have it? 'now' is a time, too", ret->percent);
        return read_time(when, &ret->from, err);
}

static int check_order(const struct su_rollout_step *steps, size_t n, struct su_error *err)
{
        for (size_t i = 1; i < n; i++)
                if (steps[i].percent < steps[i - 1].percent || steps[i].from <= steps[i - 1].from)
                        return su_fail(err, SU_ERROR_USAGE,
                                       "%d %% do not come after %d %%: percentages grow, and times "
                                       "come one after the other",
                                       steps[i].percent, steps[i - 1].percent);
        return 0;
}

int su_steps_parse(char *const *words, size_t n_words, struct su_rollout_step **ret, size_t *ret_n,
                   struct su_error *err)
{
        su_auto_free struct su_rollout_step *steps = calloc(SU_ROLLOUT_STEPS_MAX, sizeof *steps);
        su_auto_free char *text = NULL;
        char *rest;
        char *part;
        size_t n = 0;
        int r;

        if (!steps)
                return su_fail_oom(err);
        r = join(words, n_words, &text, err);
        if (r < 0)
                return r;
        rest = text;
        while ((part = strsep(&rest, ","))) {
                if (n == SU_ROLLOUT_STEPS_MAX)
                        return su_fail(err, SU_ERROR_USAGE, "more than %d steps",
                                       SU_ROLLOUT_STEPS_MAX);
                r = read_step(skip_blanks(part), &steps[n++], err);
                if (r < 0)
                        return r;
        }
        r = check_order(steps, n, err);
        if (r < 0)
                return r;
        *ret = su_take(steps);
        *ret_n = n;
        return 0;
}

int su_steps_replace(struct su_channel_level *level, const struct su_rollout_step *steps, size_t n,
                     int64_t now, struct su_error *err)
{
        struct su_rollout_step *all;
        size_t n_past = 0;

        while (n_past < level->n_rollout && level->rollout[n_past].from <= now &&
               level->rollout[n_past].from < steps[0].from)
                n_past++;
        if (n_past + n > SU_ROLLOUT_STEPS_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE,
                               "a roll-out has at most %d steps, the past ones included",
                               SU_ROLLOUT_STEPS_MAX);
        all = calloc(n_past + n, sizeof *all);
        if (!all)
                return su_fail_oom(err);
        if (n_past > 0)
                memcpy(all, level->rollout, n_past * sizeof *all);
        memcpy(all + n_past, steps, n * sizeof *all);
        free(level->rollout);
        level->rollout = all;
        level->n_rollout = n_past + n;
        return 0;
}

void su_steps_resume(struct su_channel_level *level, int64_t now)
{
        const int64_t lost = now > level->paused ? now - level->paused : 0;

        for (size_t i = 0; i < level->n_rollout; i++)
                if (level->rollout[i].from > level->paused)
                        level->rollout[i].from += lost;
        level->paused = 0;
}
