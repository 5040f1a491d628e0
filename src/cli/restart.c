#include <stdio.h>

#include "base/interrupt.h"
#include "base/translate.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "device/restart.h"
#include "device/suspend.h"
#include "device/watch.h"

static int output_document(const struct su_arguments *arguments, const struct su_restart *restart,
                           struct su_error *err)
{
        const struct su_refresh *refresh = &restart->refresh;

        return su_output_result(arguments,
                                json_pack("{s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:s}",
                                          "dry_run", restart->dry_run, "restarted",
                                          refresh->restarted, "overdue", refresh->overdue,
                                          "restarts_open", su_output_opens(refresh), "plan",
                                          su_output_plan(&refresh->plan), "exposed_after",
                                          su_output_exposure(&refresh->after.exposure),
                                          "stale_after", su_output_stale(&refresh->after.stale),
                                          "remaining", su_output_plan(&refresh->after.plan),
                                          "needs", su_plan_needs(&refresh->after.plan)),
                                err);
}

static void print_text(const struct su_restart *restart)
{
        const struct su_refresh *refresh = &restart->refresh;

        if (refresh->restarted || restart->dry_run) {
                const size_t n = su_plan_count_own(&refresh->plan);

                if (restart->dry_run)
                        (void)printf(su_plural("%zu thing would be restarted:\n",
                                               "%zu things would be restarted:\n", n),
                                     n);
                else
                        (void)printf(su_plural("%zu thing was restarted:\n",
                                               "%zu things were restarted:\n", n),
                                     n);
                su_print_plan(&refresh->plan, "  ");
        }
        if (!restart->dry_run)
                su_print_refresh(refresh);
}

/* A package manager that was killed left the layers off: the timer that runs this puts them back.
 */
static int finish_suspension(struct su_engine *engine, struct su_error *err)
{
        su_auto_resume struct su_resume resume = {0};

        return su_suspend_check(engine, NULL) < 0 ? 0 : su_resume(engine, false, &resume, err);
}

/* Who asks for a restart wants it now, unless they say otherwise. */
static enum su_restart_when choose_when(const struct su_arguments *arguments)
{
        if (arguments->if_due)
                return SU_RESTART_WHEN_DUE;
        return arguments->when_given ? arguments->when : SU_RESTART_NOW;
}

int su_verb_restart(const struct su_arguments *arguments, struct su_error *err)
{
        su_auto_engine struct su_engine *engine = NULL;
        su_auto_restart struct su_restart restart = {0};
        struct su_progress progress = su_progress_for(arguments);
        int r;

        su_interrupt_catch();
        r = su_engine_open(&arguments->engine, &engine, err);
        if (r >= 0 && !arguments->dry_run)
                r = finish_suspension(engine, err);
        if (r >= 0)
                r = su_restart(engine, choose_when(arguments), arguments->dry_run, &restart, err);
        if (restart.refresh.restarted)
                r = su_watch_verdict(engine, su_progress_tell, &progress, r, err);
        su_progress_end(&progress);
        if (r >= 0)
                r = output_document(arguments, &restart, err);
        if (r < 0 || arguments->json)
                return r;
        print_text(&restart);
        return 0;
}
