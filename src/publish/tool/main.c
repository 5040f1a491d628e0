/* suture-publish: from fixed files to a signed repository. See suture-publish(1). */
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "publish/tool/options.h"
#include "publish/tool/trees.h"
#include "publish/tool/verbs.h"

struct verb {
        const char *name;
        int (*run)(const struct su_publish_arguments *arguments, struct su_error *err);
        bool takes_operands;
        const char *help;
};

static const struct verb verbs[] = {
        {"init", su_verb_init, false, "Make keys and an empty repository"},
        {"baseline", su_verb_baseline, false, "Record an OS tree (--tree) as a baseline"},
        {"build", su_verb_build, true,
         "Draft a component of the next level from .deb files or --fixed"},
        {"from-debian", su_verb_from_debian, true,
         "SUITE...: what these fix of a baseline, proposed or drafted (--draft)"},
        {"changes", su_verb_changes, false, "File by file, what the draft or a level changes"},
        {"verify", su_verb_verify, true,
         "Do these inputs, .deb files or --fixed, give what was released?"},
        {"plan", su_verb_plan, false,
         "Write out the deltas that a build put off (--later), as jobs"},
        {"run", su_verb_run, true, "Do them: all, or the JOB... that are named"},
        {"release", su_verb_release, false, "Sign the draft and publish it"},
        {"recall", su_verb_recall, false, "Withdraw a level (--level, --reason)"},
        {"rollout", su_verb_rollout, true,
         "show, set STEP,..., pause, resume: who is offered it when"},
        {"simulate", su_verb_simulate, true, "What a schedule means for many machines: [STEP,...]"},
        {"floor", su_verb_floor, false, "Let no recall lead below a level (--level)"},
        {"refresh", su_verb_refresh, true, "Sign the repository anew before it expires"},
        {"advisories", su_verb_advisories, false,
         "Write pages, a feed, OSV and CSAF of what is published"},
        {"upload", su_verb_upload, true, "Bring public/ to an object store: s3://BUCKET[/PREFIX]"},
        {"show", su_verb_show, false, "Show what the repository holds"},
        {"check", su_verb_check, false, "Would a device accept this now, and until when?"},
        {"log", su_verb_log, true,
         "init, check [REPOSITORY], cosign [REPOSITORY], vkey, add FILE..."},
        {"key", su_verb_key, true, "new NAME, list, rotate ROLE [PUB]..., revoke NAME"},
        {"sign", su_verb_sign, true,
         "Show what waits for signatures; sign FILE; --add SIGNATURE..."},
};

static void print_help(void)
{
        (void)printf("Usage: suture-publish [OPTION]... VERB [OPERAND]...\n\n"
                     "Make and publish background security improvements.\n\n");
        for (size_t i = 0; i < SU_ELEMENTS(verbs); i++)
                (void)printf("  %-11s %s\n", verbs[i].name, verbs[i].help);
        su_options_print_help();
}

static const struct verb *find_verb(const char *name)
{
        for (size_t i = 0; i < SU_ELEMENTS(verbs); i++)
                if (strcmp(verbs[i].name, name) == 0)
                        return &verbs[i];
        return NULL;
}

static int run(int argc, char **argv, struct su_publish_arguments *arguments, struct su_error *err)
{
        enum su_question question = SU_QUESTION_NONE;
        su_auto_trees struct su_trees trees = {0};
        const struct verb *verb;
        int r;

        r = su_options_parse(argc, argv, arguments, &question, err);
        if (r < 0)
                return r;
        if (question == SU_QUESTION_HELP)
                print_help();
        if (question == SU_QUESTION_VERSION)
                (void)puts("suture-publish " SUTURE_VERSION);
        if (question != SU_QUESTION_NONE)
                return 0;
        if (arguments->n_operands == 0)
                return su_fail(err, SU_ERROR_USAGE,
                               "a verb is wanted: try 'suture-publish --help'");
        verb = find_verb(arguments->operands[0]);
        if (!verb)
                return su_fail(err, SU_ERROR_USAGE,
                               "unknown verb '%s': try 'suture-publish --help'",
                               arguments->operands[0]);
        arguments->operands++;
        arguments->n_operands--;
        if (arguments->n_operands > 0 && !verb->takes_operands)
                return su_fail(err, SU_ERROR_USAGE, "'%s' takes no operands", verb->name);
        r = su_trees_open(arguments, &trees, err);
        return r < 0 ? r : verb->run(arguments, err);
}

int main(int argc, char **argv)
{
        struct su_publish_arguments arguments = {
                .workspace = ".", .rollout = 100, .machines = 1000000};
        struct su_error error = {0};
        int r;

        argv[0] = program_invocation_short_name; /* getopt's complaints begin with it */
        r = run(argc, argv, &arguments, &error);
        su_options_done(&arguments);
        if (r >= 0 && fflush(stdout) != 0)
                r = su_fail_errno(&error, errno, "cannot write to standard output");
        if (r >= 0)
                return 0;
        (void)fprintf(stderr, "suture-publish: %s\n", error.message);
        return su_error_exit_status(error.code);
}
