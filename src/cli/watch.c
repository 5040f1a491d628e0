/* The verb watch: go on with a watch that was begun and not ended. */
#include <stdio.h>

#include "base/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "device/watch.h"

static const char *name_result(const struct su_watch *watch)
{
        if (watch->pending)
                return "pending";
        return watch->settled ? "settled" : "nothing";
}

static void print_text(const struct su_watch *watch)
{
        if (watch->pending)
                (void)printf("The watch over level (%s) goes on later.\n", watch->level.name);
        else if (watch->settled)
                (void)printf("Level (%s) is settled: nothing that was restarted has failed.\n",
                             watch->level.name);
        else
                (void)puts("There is nothing to watch.");
}

int su_verb_watch(const struct su_arguments *arguments, struct su_error *err)
{
        struct su_progress progress = su_progress_for(arguments);
        su_auto_engine struct su_engine *engine = NULL;
        su_auto_watch struct su_watch watch = {0};
        int r;

        su_interrupt_catch();
        r = su_engine_open(&arguments->engine, &engine, err);
        if (r >= 0)
                r = su_watch(engine, engine->config.watch_time, su_progress_tell, &progress, &watch,
                             err);
        su_progress_end(&progress);
        if (r < 0)
                return r;
        r = su_output_result(arguments,
                             json_pack("{s:s, s:o}", "watch", name_result(&watch), "level",
                                       su_output_level(&watch.level)),
                             err);
        if (r >= 0 && !arguments->json)
                print_text(&watch);
        return r;
}
