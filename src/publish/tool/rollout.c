/* suture-publish rollout: who is offered a level, and when. All of it is a small signed document.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "publish/signing/channels.h"
#include "publish/tool/amend.h"
#include "publish/tool/groups.h"
#include "publish/tool/steps.h"
#include "publish/tool/verbs.h"
#include "publish/tool/waiting.h"

static void print_schedule(const struct su_channel *channel, const struct su_channel_level *level)
{
        const int64_t now = su_now();
        char at[SU_TIME_TEXT_SIZE];

        (void)printf("%s level (%s): %d %% of the machines are offered it now", channel->baseline,
                     level->level.name, level->paused ? 0 : su_rollout_percent(level, now));
        for (size_t i = 0; i < level->n_groups; i++)
                (void)printf("%s%s", i == 0 ? ", and all of " : ", ", level->groups[i]);
        (void)puts(level->recall_reason ? "; it was recalled." : ".");
        if (level->paused) {
                su_time_format(level->paused, at);
                (void)printf("  paused since %s: nobody is offered it until 'rollout resume'\n",
                             at);
        }
        for (size_t i = 0; i < level->n_rollout; i++) {
                su_time_format(level->rollout[i].from, at);
                (void)printf("  %s  %3d %%%s\n", at, level->rollout[i].percent,
                             level->rollout[i].from <= now ? "" : "  to come");
        }
}

/* Those who have it keep it: a smaller percentage is not what somebody means by it. */
static int check_growth(const struct su_channel_level *level, const struct su_rollout_step *steps,
                        const struct su_publish_arguments *arguments, struct su_error *err)
{
        const int percent = su_rollout_percent(level, su_now());

        if (steps[0].percent >= percent || arguments->force)
                return 0;
        return su_fail(err, SU_ERROR_CONFLICT,
                       "%d %% of the machines are offered level (%s) already, and keep it: "
                       "'rollout pause' "
                       "stops it, 'recall' takes it back, --force makes it %d %% for who has not "
                       "got it yet",
                       percent, level->level.name, steps[0].percent);
}

static int check_level(const struct su_channel_level *level, struct su_error *err)
{
        return level->recall_reason ? su_fail(err, SU_ERROR_CONFLICT,
                                              "level (%s) was recalled: it is offered to nobody",
                                              level->level.name)
                                    : 0;
}

static int set_steps(struct su_publisher *publisher, struct su_channel *channel,
                     struct su_channel_level *level, const struct su_publish_arguments *arguments,
                     struct su_error *err)
{
        su_auto_free struct su_rollout_step *steps = NULL;
        size_t n;
        int r;

        (void)publisher;
        (void)channel;
        r = check_level(level, err);
        if (r >= 0)
                r = su_steps_parse(arguments->operands + 1, arguments->n_operands - 1, &steps, &n,
                                   err);
        if (r >= 0)
                r = check_growth(level, steps, arguments, err);
        if (r >= 0)
                r = su_steps_replace(level, steps, n, su_now(), err);
        if (r >= 0 && arguments->groups.n > 0)
                r = su_groups_copy(&arguments->groups, level, err);
        return r;
}

static int pause_steps(struct su_publisher *publisher, struct su_channel *channel,
                       struct su_channel_level *level, const struct su_publish_arguments *arguments,
                       struct su_error *err)
{
        (void)publisher;
        (void)channel;
        (void)arguments;
        if (level->paused)
                return su_fail(err, SU_ERROR_CONFLICT,
                               "the roll-out of level (%s) is paused already", level->level.name);
        level->paused = su_now();
        return 0;
}

static int resume_steps(struct su_publisher *publisher, struct su_channel *channel,
                        struct su_channel_level *level,
                        const struct su_publish_arguments *arguments, struct su_error *err)
{
        (void)publisher;
        (void)channel;
        (void)arguments;
        if (!level->paused)
                return su_fail(err, SU_ERROR_CONFLICT, "the roll-out of level (%s) is not paused",
                               level->level.name);
        su_steps_resume(level, su_now());
        return 0;
}

static int amend(const struct su_publish_arguments *arguments, su_amendment change,
                 struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_amended struct su_amended amended = {0};
        int r;

        r = su_channel_amend(arguments, change, &publisher, &amended, err);
        if (r < 0)
                return r;
        print_schedule(&amended.channel, amended.level);
        if (!amended.is_published)
                (void)puts("This is staged, until it has its signatures.");
        return su_waiting_print(&publisher, err);
}

static int show(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_channel struct su_channel channel = {0};
        su_auto_free char *baseline = NULL;
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_READ, &publisher, err);
        if (r >= 0)
                r = su_workspace_choose_baseline(&publisher.workspace, arguments->baseline,
                                                 &baseline, err);
        if (r >= 0)
                r = su_channel_open(&publisher.workspace, baseline, &channel, err);
        for (size_t i = 0; r >= 0 && i < channel.n_levels; i++)
                print_schedule(&channel, &channel.levels[i]);
        return r;
}

int su_verb_rollout(const struct su_publish_arguments *arguments, struct su_error *err)
{
        static const struct {
                const char *name;
                su_amendment change;
        } changes[] = {{"set", set_steps}, {"pause", pause_steps}, {"resume", resume_steps}};
        const char *verb = arguments->n_operands > 0 ? arguments->operands[0] : "show";
        int r;

        r = su_groups_check(&arguments->groups, err);
        if (r < 0)
                return r;
        if (strcmp(verb, "show") == 0)
                return show(arguments, err);
        for (size_t i = 0; i < SU_ELEMENTS(changes); i++)
                if (strcmp(verb, changes[i].name) == 0)
                        return (i == 0) == (arguments->n_operands > 1)
                                       ? amend(arguments, changes[i].change, err)
                                       : su_fail(err, SU_ERROR_USAGE,
                                                 "'rollout set' wants steps, like '1 %% now, 100 "
                                                 "%% tomorrow'; "
                                                 "the others want none");
        return su_fail(err, SU_ERROR_USAGE, "rollout has show, set, pause and resume, and no '%s'",
                       verb);
}
