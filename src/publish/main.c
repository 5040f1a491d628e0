/* suture-publish: from fixed files to a signed repository. See suture-publish(1). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/printable.h"
#include "base/text.h"
#include "improvement/manifest.h"
#include "publish/verbs.h"

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
        {"release", su_verb_release, false, "Sign the draft and publish it"},
        {"refresh", su_verb_refresh, false, "Sign the repository anew before it expires"},
        {"show", su_verb_show, false, "Show what the repository holds"},
};

static void print_help(FILE *out)
{
        (void)fprintf(out, "Usage: suture-publish [OPTION]... VERB [DEB]...\n\n"
                           "Make and publish background security improvements.\n\n");
        for (size_t i = 0; i < SU_ELEMENTS(verbs); i++)
                (void)fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].help);
        (void)fprintf(out,
                      "\n"
                      "  -C, --workspace=DIR  The publisher's workspace (default: .)\n"
                      "  --tree=DIR           baseline, build: the baseline's OS tree\n"
                      "  --baseline=NAME      build, release: which, when there are several\n"
                      "  --component=NAME     build: what is fixed\n"
                      "  --fixed=DIR          build: a tree with the fixed files\n"
                      "  --old-version=V, --new-version=V\n"
                      "                       build: versions, when no package says them\n"
                      "  --cve=ID             build: fixed as well; may be repeated\n"
                      "  --mark=TEXT          build: a string that only the old code has; may "
                      "be repeated\n"
                      "  --notice=TEXT        build: what its running users should know until "
                      "they are restarted\n"
                      "  --hints=FILE         build: restart rules of the component's users\n"
                      "  --fast               build: larger deltas, made in a tenth of the time\n"
                      "  --rollout=PERCENT    release: part of the devices (default: 100)\n"
                      "  --json               show: print JSON\n"
                      "  --help, --version\n\n"
                      "Exit status: 0 done; others: see suture-publish(1).\n");
}

enum {
        OPTION_TREE = 256,
        OPTION_BASELINE,
        OPTION_COMPONENT,
        OPTION_FIXED,
        OPTION_OLD_VERSION,
        OPTION_NEW_VERSION,
        OPTION_CVE,
        OPTION_FAST,
        OPTION_HINTS,
        OPTION_NOTICE,
        OPTION_MARK,
        OPTION_ROLLOUT,
        OPTION_JSON,
        OPTION_HELP,
        OPTION_VERSION
};

static const struct option options[] = {
        {"workspace", required_argument, NULL, 'C'},
        {"tree", required_argument, NULL, OPTION_TREE},
        {"baseline", required_argument, NULL, OPTION_BASELINE},
        {"component", required_argument, NULL, OPTION_COMPONENT},
        {"fixed", required_argument, NULL, OPTION_FIXED},
        {"old-version", required_argument, NULL, OPTION_OLD_VERSION},
        {"new-version", required_argument, NULL, OPTION_NEW_VERSION},
        {"cve", required_argument, NULL, OPTION_CVE},
        {"hints", required_argument, NULL, OPTION_HINTS},
        {"notice", required_argument, NULL, OPTION_NOTICE},
        {"fast", no_argument, NULL, OPTION_FAST},
        {"mark", required_argument, NULL, OPTION_MARK},
        {"rollout", required_argument, NULL, OPTION_ROLLOUT},
        {"json", no_argument, NULL, OPTION_JSON},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0},
};

static const struct verb *find_verb(const char *name)
{
        for (size_t i = 0; i < SU_ELEMENTS(verbs); i++)
                if (strcmp(verbs[i].name, name) == 0)
                        return &verbs[i];
        return NULL;
}

static int add_text(const char ***texts, size_t *n, const char *text, struct su_error *err)
{
        const char **larger = reallocarray(*texts, *n + 1, sizeof *larger);

        if (!larger)
                return su_fail_oom(err);
        larger[(*n)++] = text;
        *texts = larger;
        return 0;
}

static int add_cve(struct su_publish_arguments *arguments, const char *id, struct su_error *err)
{
        if (!su_name_is_safe(id))
                return su_fail(err, SU_ERROR_USAGE, "'%s' is not an identifier", id);
        return add_text(&arguments->cves, &arguments->n_cves, id, err);
}

static int set_rollout(struct su_publish_arguments *arguments, const char *text,
                       struct su_error *err)
{
        char *end;
        long percent = strtol(text, &end, 10);

        if (end == text || *end != '\0' || percent < 0 || percent > 100)
                return su_fail(err, SU_ERROR_USAGE, "'%s' is not a percentage", text);
        arguments->rollout = (int)percent;
        return 0;
}

static int set_notice(struct su_publish_arguments *arguments, const char *text,
                      struct su_error *err)
{
        if (strlen(text) > SU_NOTICE_MAX || !su_is_printable_ascii(text))
                return su_fail(err, SU_ERROR_USAGE, "a notice is a line of at most %d characters",
                               SU_NOTICE_MAX);
        arguments->notice = text;
        return 0;
}

static int apply_option(int option, struct su_publish_arguments *arguments, struct su_error *err)
{
        switch (option) {
        case 'C':
                arguments->workspace = optarg;
                return 0;
        case OPTION_TREE:
                arguments->tree = optarg;
                return 0;
        case OPTION_BASELINE:
                arguments->baseline = optarg;
                return 0;
        case OPTION_COMPONENT:
                arguments->component = optarg;
                return 0;
        case OPTION_FIXED:
                arguments->fixed = optarg;
                return 0;
        case OPTION_OLD_VERSION:
                arguments->old_version = optarg;
                return 0;
        case OPTION_NEW_VERSION:
                arguments->new_version = optarg;
                return 0;
        case OPTION_CVE:
                return add_cve(arguments, optarg, err);
        case OPTION_MARK:
                return add_text(&arguments->marks, &arguments->n_marks, optarg, err);
        case OPTION_FAST:
                arguments->fast = true;
                return 0;
        case OPTION_NOTICE:
                return set_notice(arguments, optarg, err);
        case OPTION_HINTS:
                arguments->hints = optarg;
                return 0;
        case OPTION_ROLLOUT:
                return set_rollout(arguments, optarg, err);
        case OPTION_JSON:
                arguments->json = true;
                return 0;
        default:
                return su_fail(err, SU_ERROR_USAGE, "try 'suture-publish --help'");
        }
}

static int parse(int argc, char **argv, struct su_publish_arguments *arguments, bool *ret_informed,
                 struct su_error *err)
{
        int option;

        while ((option = getopt_long(argc, argv, "C:", options, NULL)) >= 0) {
                int r;

                *ret_informed = option == OPTION_HELP || option == OPTION_VERSION;
                if (option == OPTION_HELP)
                        print_help(stdout);
                if (option == OPTION_VERSION)
                        (void)puts("suture-publish " SUTURE_VERSION);
                if (*ret_informed)
                        return 0;
                r = apply_option(option, arguments, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int run(int argc, char **argv, struct su_publish_arguments *arguments, struct su_error *err)
{
        const struct verb *verb;
        bool informed = false;
        int r;

        r = parse(argc, argv, arguments, &informed, err);
        if (r < 0 || informed)
                return r;
        if (optind >= argc)
                return su_fail(err, SU_ERROR_USAGE,
                               "a verb is wanted: try 'suture-publish --help'");
        verb = find_verb(argv[optind]);
        if (!verb)
                return su_fail(err, SU_ERROR_USAGE,
                               "unknown verb '%s': try 'suture-publish --help'", argv[optind]);
        arguments->operands = argv + optind + 1;
        arguments->n_operands = (size_t)(argc - optind - 1);
        if (arguments->n_operands > 0 && !verb->takes_operands)
                return su_fail(err, SU_ERROR_USAGE, "'%s' takes no operands", verb->name);
        return verb->run(arguments, err);
}

int main(int argc, char **argv)
{
        struct su_publish_arguments arguments = {.workspace = ".", .rollout = 100};
        struct su_error error = {0};
        int r;

        argv[0] = program_invocation_short_name; /* getopt's complaints begin with it */
        r = run(argc, argv, &arguments, &error);
        free(arguments.cves);
        free(arguments.marks);
        if (r >= 0 && fflush(stdout) != 0)
                r = su_fail_errno(&error, errno, "cannot write to standard output");
        if (r >= 0)
                return 0;
        (void)fprintf(stderr, "suture-publish: %s\n", error.message);
        return su_error_exit_status(error.code);
}
