/* The verbs suspend and resume, which package managers call. */
#include <stdio.h>

#include "cli/output.h"
#include "cli/verbs.h"
#include "device/suspend.h"

/* A package manager has to wait while an install or a removal ends. */
#define PATIENCE_S 120

static int open_engine(const struct su_arguments *arguments, struct su_engine **ret,
                       struct su_error *err)
{
        struct su_engine_options options = arguments->engine;

        options.patience_s = PATIENCE_S;
        options.without_os = options.without_config = true;
        return su_engine_open(&options, ret, err);
}

int su_verb_suspend(const struct su_arguments *arguments, struct su_error *err)
{
        su_auto_engine struct su_engine *engine = NULL;
        bool suspended;
        int r;

        r = open_engine(arguments, &engine, err);
        if (r >= 0)
                r = su_suspend(engine, &suspended, err);
        if (r < 0)
                return r;
        if (arguments->json)
                return su_output_json(json_pack("{s:b}", "suspended", suspended), err);
        if (suspended)
                (void)puts("Background security improvements are off /usr for now.");
        return 0;
}

static const char *name_result(const struct su_resume *resume)
{
        static const char *const names[] = {
                [SU_RESTORED_ALL] = "all",
                [SU_RESTORED_PART] = "part",
                [SU_RESTORED_BASELINE] = "baseline",
        };

        if (resume->resumed == SU_RESUMED)
                return names[resume->restoration.restored];
        return resume->resumed == SU_RESUMED_NOTHING ? "nothing" : "not-yet";
}

static void print_text(const struct su_resume *resume)
{
        if (resume->resumed == SU_RESUMED_NOTHING)
                return;
        if (resume->resumed == SU_RESUMED_NOT_YET) {
                (void)printf("Background security improvements stay off /usr: %s.\n",
                             resume->why_not.message);
                return;
        }
        su_print_restoration(&resume->restoration);
        if (resume->refresh_error.code != SU_OK)
                (void)printf("Who runs old code is not known: %s\n", resume->refresh_error.message);
        else if (su_survey_is_waiting(&resume->refresh.after))
                (void)printf("%zu processes run old code; see 'suture exposure'.\n",
                             su_exposure_count(&resume->refresh.after.exposure));
}

int su_verb_resume(const struct su_arguments *arguments, struct su_error *err)
{
        su_auto_engine struct su_engine *engine = NULL;
        su_auto_resume struct su_resume resume = {0};
        int r;

        r = open_engine(arguments, &engine, err);
        if (r >= 0)
                r = su_resume(engine, arguments->force, &resume, err);
        if (r < 0)
                return r;
        if (arguments->json)
                return su_output_json(
                        json_pack("{s:s, s:o, s:o}", "resumed", name_result(&resume), "components",
                                  su_output_components(&resume.restoration.to), "exposed_after",
                                  su_output_exposure(&resume.refresh.after.exposure)),
                        err);
        print_text(&resume);
        return 0;
}
