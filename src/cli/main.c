/* suture: background security improvements, on a device. See suture(8). */
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "cli/agent.h"
#include "cli/journal.h"
#include "cli/language.h"
#include "cli/motd.h"
#include "cli/output.h"
#include "cli/parent.h"
#include "cli/verbs.h"

/* What else than --json and the options that say where a verb takes. */
enum takes {
        TAKES_NOTHING = 0,
        TAKES_DRY_RUN = 1 << 0,
        TAKES_RESTART = 1 << 1,
        TAKES_IF_DUE = 1 << 2,
        TAKES_FORCE = 1 << 3,
        TAKES_UNATTENDED = 1 << 4,
        TAKES_DOWNLOAD_ONLY = 1 << 5,
        TAKES_SURROUNDINGS = 1 << 6,
        TAKES_OPERAND = 1 << 7,
};

struct verb {
        const char *name;
        int (*run)(const struct su_arguments *arguments, struct su_error *err);
        bool read_only;
        unsigned takes;
        const char *help;
};

static const struct verb verbs[] = {
        {"status", su_verb_status, true, TAKES_NOTHING,
         "Show the version with its letter and its state"},
        {"check", su_verb_check, false, TAKES_NOTHING, "Ask the repository what it offers"},
        {"install", su_verb_install, false,
         TAKES_DRY_RUN | TAKES_RESTART | TAKES_FORCE | TAKES_UNATTENDED | TAKES_DOWNLOAD_ONLY |
                 TAKES_SURROUNDINGS,
         "Install the level that is offered, live; leave one that was recalled"},
        {"remove", su_verb_remove, false, TAKES_DRY_RUN | TAKES_RESTART,
         "Go back to the baseline, live"},
        {"restart", su_verb_restart, false, TAKES_DRY_RUN | TAKES_RESTART | TAKES_IF_DUE,
         "Restart what still runs old code, as far as the plan allows"},
        {"watch", su_verb_watch, false, TAKES_NOTHING,
         "Go on with the watch over what was restarted"},
        {"activate", su_verb_activate, false, TAKES_NOTHING,
         "At boot: put what is installed back on /usr"},
        {"mark-healthy", su_verb_mark_healthy, false, TAKES_NOTHING,
         "At the end of the boot: say that it went well"},
        {"suspend", su_verb_suspend, false, TAKES_NOTHING,
         "Take the layers off for a package manager at work"},
        {"resume", su_verb_resume, false, TAKES_FORCE, "Put back what still applies"},
        {"exposure", su_verb_exposure, true, TAKES_NOTHING,
         "Show which processes still run old code"},
        {"coverage", su_verb_coverage, true, TAKES_NOTHING,
         "Look for copies of the old code that no improvement reaches"},
        {"verify", su_verb_verify, true, TAKES_NOTHING,
         "Look again at the seals, and at the proof that the level is publicly logged"},
        {"config", su_verb_config, true, TAKES_NOTHING,
         "Show what is configured, and where it was said"},
        {"automatic", su_verb_automatic, true, TAKES_OPERAND,
         "Show, or set, what is done by itself: off, check, download, install"},
        {"notify", su_verb_notify, true, TAKES_NOTHING,
         "In a session: show what needs a person on its screen"},
        {"metrics", su_verb_metrics, true, TAKES_NOTHING,
         "Print what a monitoring system collects (OpenMetrics)"},
        {"history", su_verb_history, true, TAKES_NOTHING,
         "Show what was installed and removed, and how it went"},
};

static void print_help(FILE *out)
{
        (void)fprintf(out, "Usage: suture [OPTION]... VERB\n\n"
                           "Background security improvements for this system.\n\n");
        for (size_t i = 0; i < SU_ELEMENTS(verbs); i++)
                (void)fprintf(out, "  %-12s %s\n", verbs[i].name, verbs[i].help);
        (void)fprintf(
                out,
                "\n"
                "  --json               Print JSON\n"
                "  --dry-run            install, remove, restart: only say what would be done\n"
                "  --restart=WHEN       install, remove, restart: now, tonight, later, or "
                "when-due:\n"
                "                       in a maintenance window (default; restart: now)\n"
                "  --if-due             restart: only when that may be done now\n"
                "  --force              install: also what failed here before; resume: whoever\n"
                "                       holds the suspension\n"
                "  --unattended         install: as configured, and nothing a person has to "
                "decide\n"
                "  --metered, --battery=PERCENT, --in-use\n"
                "                       install --unattended: heed that the network is metered,\n"
                "                       that there is no mains, that somebody is at work\n"
                "  --download-only      install: stop when the images are in the store\n"
                "  --direct             Do not ask the agent (sutured) to do it\n"
                "  --root=DIR           Work on the OS tree below DIR\n"
                "  --repository=URL     Instead of Repository= in suture.conf\n"
                "  --trusted-root=FILE  Instead of TrustedRoot= in suture.conf\n"
                "  --help, --version\n\n"
                "Exit status: 0 done; 10 exposure found; others: see suture(8).\n");
}

enum {
        OPTION_JSON = 256,
        OPTION_DRY_RUN,
        OPTION_RESTART,
        OPTION_IF_DUE,
        OPTION_FORCE,
        OPTION_UNATTENDED,
        OPTION_DOWNLOAD_ONLY,
        OPTION_METERED,
        OPTION_BATTERY,
        OPTION_IN_USE,
        OPTION_ROOT,
        OPTION_REPOSITORY,
        OPTION_TRUSTED_ROOT,
        OPTION_DIRECT,
        OPTION_PARENT_FD,
        OPTION_MOUNT_NAMESPACE,
        OPTION_FETCHER,
        OPTION_HELP,
        OPTION_VERSION
};

static const struct option options[] = {
        {"json", no_argument, NULL, OPTION_JSON},
        {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
        {"restart", required_argument, NULL, OPTION_RESTART},
        {"if-due", no_argument, NULL, OPTION_IF_DUE},
        {"force", no_argument, NULL, OPTION_FORCE},
        {"unattended", no_argument, NULL, OPTION_UNATTENDED},
        {"download-only", no_argument, NULL, OPTION_DOWNLOAD_ONLY},
        {"metered", no_argument, NULL, OPTION_METERED},
        {"battery", required_argument, NULL, OPTION_BATTERY},
        {"in-use", no_argument, NULL, OPTION_IN_USE},
        {"root", required_argument, NULL, OPTION_ROOT},
        {"repository", required_argument, NULL, OPTION_REPOSITORY},
        {"trusted-root", required_argument, NULL, OPTION_TRUSTED_ROOT},
        {"direct", no_argument, NULL, OPTION_DIRECT},
        {"mount-namespace", required_argument, NULL, OPTION_MOUNT_NAMESPACE},
        {"fetcher", required_argument, NULL, OPTION_FETCHER},
        {"parent-fd", required_argument, NULL, OPTION_PARENT_FD},
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

static int set_when(struct su_arguments *arguments, const char *text, struct su_error *err)
{
        arguments->when_given = true;
        if (strcmp(text, "now") == 0)
                arguments->when = SU_RESTART_NOW;
        else if (strcmp(text, "later") == 0)
                arguments->when = SU_RESTART_LATER;
        else if (strcmp(text, "tonight") == 0)
                arguments->when = SU_RESTART_TONIGHT;
        else if (strcmp(text, "when-due") == 0)
                arguments->when = SU_RESTART_WHEN_DUE;
        else
                return su_fail(err, SU_ERROR_USAGE,
                               "--restart= is now, tonight, later or when-due");
        return 0;
}

/* A service has one of its own, in which nobody else would see what is put on /usr. */
static int enter_mount_namespace(const char *path, struct su_error *err)
{
        su_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0 || setns(fd, CLONE_NEWNS) < 0)
                return su_fail_errno(err, errno, "cannot enter the mount namespace '%s'", path);
        return 0;
}

static int set_battery(struct su_arguments *arguments, const char *text, struct su_error *err)
{
        char *end;
        long percent = strtol(text, &end, 10);

        if (end == text || *end || percent < 0 || percent > 100)
                return su_fail(err, SU_ERROR_USAGE, "--battery= is a percentage");
        arguments->surroundings.on_battery = true;
        arguments->surroundings.battery = (int)percent;
        return 0;
}

static int parse(int argc, char **argv, struct su_arguments *arguments, bool *ret_informed,
                 struct su_error *err)
{
        int option;
        int r;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                switch (option) {
                case OPTION_JSON:
                        arguments->json = true;
                        break;
                case OPTION_DRY_RUN:
                        arguments->dry_run = true;
                        break;
                case OPTION_RESTART:
                        r = set_when(arguments, optarg, err);
                        if (r < 0)
                                return r;
                        break;
                case OPTION_FORCE:
                        arguments->force = true;
                        break;
                case OPTION_UNATTENDED:
                        arguments->unattended = true;
                        break;
                case OPTION_DOWNLOAD_ONLY:
                        arguments->download_only = true;
                        break;
                case OPTION_METERED:
                        arguments->surroundings.metered = true;
                        break;
                case OPTION_BATTERY:
                        r = set_battery(arguments, optarg, err);
                        if (r < 0)
                                return r;
                        break;
                case OPTION_IN_USE:
                        arguments->surroundings.in_use = true;
                        break;
                case OPTION_IF_DUE:
                        arguments->if_due = true;
                        break;
                case OPTION_ROOT:
                        arguments->engine.root = optarg;
                        break;
                case OPTION_REPOSITORY:
                        arguments->engine.repository = optarg;
                        break;
                case OPTION_TRUSTED_ROOT:
                        arguments->engine.trusted_root = optarg;
                        break;
                case OPTION_DIRECT:
                        arguments->direct = true;
                        break;
                case OPTION_MOUNT_NAMESPACE:
                        r = enter_mount_namespace(optarg, err);
                        if (r < 0)
                                return r;
                        break;
                case OPTION_FETCHER:
                        arguments->engine.fetcher = optarg;
                        break;
                case OPTION_PARENT_FD:
                        r = su_parent_open(optarg, &arguments->parent, err);
                        if (r < 0)
                                return r;
                        break;
                case OPTION_HELP:
                        print_help(stdout);
                        *ret_informed = true;
                        return 0;
                case OPTION_VERSION:
                        (void)puts("suture " SUTURE_VERSION);
                        *ret_informed = true;
                        return 0;
                default:
                        return su_fail(err, SU_ERROR_USAGE, "try 'suture --help'");
                }
        }
        return 0;
}

static int check_options(const struct verb *verb, const struct su_arguments *arguments,
                         struct su_error *err)
{
        const struct su_surroundings *around = &arguments->surroundings;
        const struct {
                bool given;
                enum takes takes;
                const char *option;
        } options_given[] = {
                {arguments->dry_run, TAKES_DRY_RUN, "--dry-run"},
                {arguments->when_given, TAKES_RESTART, "--restart"},
                {arguments->if_due, TAKES_IF_DUE, "--if-due"},
                {arguments->force, TAKES_FORCE, "--force"},
                {arguments->unattended, TAKES_UNATTENDED, "--unattended"},
                {arguments->download_only, TAKES_DOWNLOAD_ONLY, "--download-only"},
                {around->metered, TAKES_SURROUNDINGS, "--metered"},
                {around->on_battery, TAKES_SURROUNDINGS, "--battery"},
                {around->in_use, TAKES_SURROUNDINGS, "--in-use"},
        };

        for (size_t i = 0; i < SU_ELEMENTS(options_given); i++)
                if (options_given[i].given && !(verb->takes & options_given[i].takes))
                        return su_fail(err, SU_ERROR_USAGE, "'%s' has no %s", verb->name,
                                       options_given[i].option);
        if (arguments->when_given && arguments->if_due)
                return su_fail(err, SU_ERROR_USAGE, "--restart and --if-due are two answers");
        return 0;
}

/* The agent works on the system that runs, with its configuration, and so does nobody else's. */
static bool is_for_agent(const struct su_arguments *arguments)
{
        const struct su_surroundings *around = &arguments->surroundings;

        return !arguments->direct && !arguments->dry_run && !arguments->engine.root &&
               !arguments->engine.repository && !arguments->engine.trusted_root &&
               !arguments->engine.fetcher && !around->metered && !around->on_battery &&
               !around->in_use;
}

static int run(int argc, char **argv, struct su_arguments *arguments, struct su_error *err)
{
        const struct verb *verb;
        bool informed = false;
        int r;

        r = parse(argc, argv, arguments, &informed, err);
        if (r < 0 || informed)
                return r;
        if (argc == optind)
                return su_fail(err, SU_ERROR_USAGE, "a verb is wanted: try 'suture --help'");
        verb = find_verb(argv[optind]);
        if (!verb)
                return su_fail(err, SU_ERROR_USAGE, "unknown verb '%s': try 'suture --help'",
                               argv[optind]);
        arguments->operand = argv[optind + 1];
        r = check_options(verb, arguments, err);
        if (r >= 0 && argc - optind > (verb->takes & TAKES_OPERAND ? 2 : 1))
                r = su_fail(err, SU_ERROR_USAGE, "'%s' is too much: try 'suture --help'",
                            argv[argc - 1]);
        if (r < 0)
                return r;
        arguments->engine.read_only = verb->read_only;
        r = is_for_agent(arguments) ? su_agent_do(verb->name, arguments, err) : 0;
        if (r != 0)
                return r < 0 ? r : 0;
        r = verb->run(arguments, err);
        if (!verb->read_only)
                su_motd_update(&arguments->engine, verb->run == su_verb_activate);
        return r;
}

int main(int argc, char **argv)
{
        struct su_arguments arguments = {.engine.listener = su_journal_tell};
        struct su_error error = {0};
        int r;

        su_language_open();
        argv[0] = program_invocation_short_name; /* getopt's complaints begin with it */
        r = run(argc, argv, &arguments, &error);
        if (r >= 0 && fflush(stdout) != 0)
                r = su_fail_errno(&error, errno, "cannot write to standard output");
        if (r >= 0)
                return r;
        (void)fprintf(stderr, "suture: %s\n", error.message);
        if (arguments.json)
                (void)su_output_json(su_output_error(&error), NULL);
        su_parent_tell_error(arguments.parent, &error);
        return su_error_exit_status(error.code);
}
