/* The verbs activate and mark-healthy, which the system runs at boot. */
#include <stdio.h>

#include "base/text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "device/boot.h"

static const char *name_result(const struct su_activation *activation)
{
        static const char *const names[] = {
                [SU_ACTIVATED_NOTHING] = "nothing", [SU_ACTIVATED_ALREADY] = "already",
                [SU_ACTIVATED_RESTORED] = "all",    [SU_ACTIVATED_DISABLED] = "disabled",
                [SU_ACTIVATED_RETIRED] = "retired", [SU_ACTIVATED_FALLEN_BACK] = "fallen-back",
        };

        if (activation->activated != SU_ACTIVATED_RESTORED)
                return names[activation->activated];
        switch (activation->restoration.restored) {
        case SU_RESTORED_PART:
                return "part";
        case SU_RESTORED_BASELINE:
                return "baseline";
        default:
                return "all";
        }
}

static void print_text(const struct su_activation *activation)
{
        const char *level = activation->level.name;

        switch (activation->activated) {
        case SU_ACTIVATED_NOTHING:
                (void)puts("No background security improvement is installed.");
                break;
        case SU_ACTIVATED_ALREADY:
                (void)printf("Level (%s) is on /usr already.\n", level);
                break;
        case SU_ACTIVATED_RESTORED:
                (void)printf("Level (%s): ", level);
                su_print_restoration(&activation->restoration);
                break;
        case SU_ACTIVATED_DISABLED:
                (void)puts("suture.disable is on the kernel's command line: no background security "
                           "improvement for this boot.");
                break;
        case SU_ACTIVATED_RETIRED:
                (void)printf("The background security improvements (%s) are retired: %s.\n", level,
                             activation->reason);
                break;
        case SU_ACTIVATED_FALLEN_BACK:
                (void)printf("Level (%s) is left off, and this system is at its baseline: %s.\n",
                             level, activation->reason);
                break;
        }
}

int su_verb_activate(const struct su_arguments *arguments, struct su_error *err)
{
        struct su_engine_options options = arguments->engine;
        su_auto_activation struct su_activation activation = {0};
        su_auto_engine struct su_engine *engine = NULL;
        int r;

        /* A slip in the configuration is no reason to go without what is installed. */
        options.without_config = true;
        options.patience_s = 10;
        r = su_engine_open(&options, &engine, err);
        if (r >= 0)
                r = su_activate(engine, &activation, err);
        if (r < 0)
                return r;
        if (arguments->json)
                return su_output_json(json_pack("{s:s, s:o, s:s?, s:o}", "activated",
                                                name_result(&activation), "level",
                                                su_output_level(&activation.level), "reason",
                                                activation.reason, "components",
                                                su_output_components(&activation.restoration.to)),
                                      err);
        print_text(&activation);
        return 0;
}

int su_verb_mark_healthy(const struct su_arguments *arguments, struct su_error *err)
{
        struct su_engine_options options = arguments->engine;
        su_auto_engine struct su_engine *engine = NULL;
        struct su_collected collected = {0};
        int r;

        options.without_config = true;
        options.patience_s = 60;
        r = su_engine_open(&options, &engine, err);
        if (r >= 0)
                r = su_mark_healthy(engine, &collected, err);
        if (r >= 0 && arguments->json)
                r = su_output_json(json_pack("{s:I}", "freed_bytes", (json_int_t)collected.bytes),
                                   err);
        return r;
}
