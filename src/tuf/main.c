/* suture-tuf: The Update Framework's client as a program, over the same library that devices use.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/printable.h"
#include "tuf/download.h"
#include "tuf/transport.h"

#define ROOT_SIZE_MAX 512000

struct arguments {
        const char *metadata_dir;
        const char *metadata_url;
        const char *target_dir;
        const char *target_url;
        const char **targets;
        size_t n_targets;
        char **operands; /* the verb first */
        int n_operands;
};

static void print_help(FILE *out)
{
        (void)fputs("Usage: suture-tuf --metadata-dir DIR init ROOT\n"
                    "       suture-tuf --metadata-dir DIR --metadata-url URL refresh\n"
                    "       suture-tuf --metadata-dir DIR --metadata-url URL --target-dir DIR\n"
                    "                  --target-base-url URL --target-name PATH... download\n\n"
                    "Keep the metadata of a TUF repository, and download what it signs.\n\n"
                    "  init      Trust the root metadata in the file ROOT, once\n"
                    "  refresh   Bring the trusted metadata up to date\n"
                    "  download  The same, then fetch and verify the targets\n\n"
                    "  --metadata-dir=DIR     What is trusted\n"
                    "  --metadata-url=URL     The repository's metadata: http, https or file\n"
                    "  --target-dir=DIR       Where verified targets go\n"
                    "  --target-base-url=URL  The repository's targets\n"
                    "  --target-name=PATH     A target; may be repeated\n"
                    "  --help, --version\n\n"
                    "Exit status: 0 done, 1 not.\n",
                    out);
}

enum {
        OPTION_METADATA_DIR = 256,
        OPTION_METADATA_URL,
        OPTION_TARGET_DIR,
        OPTION_TARGET_URL,
        OPTION_TARGET_NAME,
        OPTION_HELP,
        OPTION_VERSION
};

static const struct option options[] = {
        {"metadata-dir", required_argument, NULL, OPTION_METADATA_DIR},
        {"metadata-url", required_argument, NULL, OPTION_METADATA_URL},
        {"target-dir", required_argument, NULL, OPTION_TARGET_DIR},
        {"target-base-url", required_argument, NULL, OPTION_TARGET_URL},
        {"target-name", required_argument, NULL, OPTION_TARGET_NAME},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0},
};

static int add_target(struct arguments *arguments, const char *path, struct su_error *err)
{
        const char **larger =
                reallocarray(arguments->targets, arguments->n_targets + 1, sizeof *larger);

        if (!larger)
                return su_fail_oom(err);
        larger[arguments->n_targets++] = path;
        arguments->targets = larger;
        return 0;
}

static int apply_option(int option, struct arguments *arguments, struct su_error *err)
{
        switch (option) {
        case OPTION_METADATA_DIR:
                arguments->metadata_dir = optarg;
                return 0;
        case OPTION_METADATA_URL:
                arguments->metadata_url = optarg;
                return 0;
        case OPTION_TARGET_DIR:
                arguments->target_dir = optarg;
                return 0;
        case OPTION_TARGET_URL:
                arguments->target_url = optarg;
                return 0;
        case OPTION_TARGET_NAME:
                return add_target(arguments, optarg, err);
        default:
                return su_fail(err, SU_ERROR_USAGE, "try 'suture-tuf --help'");
        }
}

static int parse(int argc, char **argv, struct arguments *arguments, bool *ret_informed,
                 struct su_error *err)
{
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                int r;

                *ret_informed = option == OPTION_HELP || option == OPTION_VERSION;
                if (option == OPTION_HELP)
                        print_help(stdout);
                if (option == OPTION_VERSION)
                        (void)puts("suture-tuf " SUTURE_VERSION);
                if (*ret_informed)
                        return 0;
                r = apply_option(option, arguments, err);
                if (r < 0)
                        return r;
        }
        arguments->operands = argv + optind;
        arguments->n_operands = argc - optind;
        return 0;
}

static int want(const char *value, const char *option, struct su_error *err)
{
        return value ? 0 : su_fail(err, SU_ERROR_USAGE, "--%s is missing", option);
}

/* The directory of what is trusted, for one process at a time. */
static int open_metadata_dir(const struct arguments *arguments, int *ret_fd, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        r = want(arguments->metadata_dir, "metadata-dir", err);
        if (r >= 0)
                r = su_dir_open(arguments->metadata_dir, &fd, err);
        if (r < 0)
                return r;
        while (flock(fd, LOCK_EX) < 0)
                if (errno != EINTR)
                        return su_fail_errno(err, errno, "cannot lock '%s'",
                                             arguments->metadata_dir);
        *ret_fd = su_take_fd(&fd);
        return 0;
}

static int run_init(const struct arguments *arguments, struct su_error *err)
{
        su_auto_close int metadata_fd = -EBADF;
        su_auto_free char *root = NULL;
        size_t size;
        int r;

        if (arguments->n_operands != 2)
                return su_fail(err, SU_ERROR_USAGE, "init takes one file with root metadata");
        r = open_metadata_dir(arguments, &metadata_fd, err);
        if (r >= 0)
                r = su_file_read(AT_FDCWD, arguments->operands[1], ROOT_SIZE_MAX, &root, &size,
                                 err);
        return r < 0 ? r : su_trust_init(metadata_fd, root, size, err);
}

static int download_all(const struct arguments *arguments, struct su_trust *trust, int metadata_fd,
                        struct su_error *err)
{
        su_auto_close int target_fd = -EBADF;
        int r;

        r = su_dir_open(arguments->target_dir, &target_fd, err);
        for (size_t i = 0; i < arguments->n_targets && r >= 0; i++)
                r = su_tuf_download(trust, arguments->targets[i], metadata_fd, target_fd, err);
        return r;
}

static int update(const struct arguments *arguments, bool with_targets, struct su_error *err)
{
        su_auto(su_tuf_repository_done) struct su_tuf_repository repository = {0};
        su_auto_trust struct su_trust *trust = NULL;
        su_auto_close int metadata_fd = -EBADF;
        struct su_transport transport;
        int r;

        r = want(arguments->metadata_url, "metadata-url", err);
        if (r >= 0)
                r = open_metadata_dir(arguments, &metadata_fd, err);
        if (r >= 0)
                r = su_trust_open(metadata_fd, &trust, err);
        if (r >= 0)
                r = su_tuf_repository_open(arguments->metadata_url,
                                           with_targets ? arguments->target_url : NULL, &repository,
                                           err);
        if (r < 0)
                return r;
        transport = su_tuf_transport(&repository);
        r = su_trust_refresh(trust, &transport, su_now(), err);
        if (r >= 0 && with_targets)
                r = download_all(arguments, trust, metadata_fd, err);
        return r;
}

static int run_download(const struct arguments *arguments, struct su_error *err)
{
        int r;

        r = want(arguments->n_targets > 0 ? arguments->targets[0] : NULL, "target-name", err);
        if (r >= 0)
                r = want(arguments->target_dir, "target-dir", err);
        if (r >= 0)
                r = want(arguments->target_url, "target-base-url", err);
        return r < 0 ? r : update(arguments, true, err);
}

static int run(int argc, char **argv, struct arguments *arguments, struct su_error *err)
{
        bool informed = false;
        const char *verb;
        int r;

        r = parse(argc, argv, arguments, &informed, err);
        if (r < 0 || informed)
                return r;
        verb = arguments->n_operands > 0 ? arguments->operands[0] : "";
        if (strcmp(verb, "init") == 0)
                return run_init(arguments, err);
        if (arguments->n_operands == 1 && strcmp(verb, "refresh") == 0)
                return update(arguments, false, err);
        if (arguments->n_operands == 1 && strcmp(verb, "download") == 0)
                return run_download(arguments, err);
        return su_fail(err, SU_ERROR_USAGE, "a verb is wanted: init, refresh or download");
}

int main(int argc, char **argv)
{
        struct arguments arguments = {0};
        struct su_error error = {0};
        int r;

        argv[0] = program_invocation_short_name; /* getopt's complaints begin with it */
        r = run(argc, argv, &arguments, &error);
        free(arguments.targets);
        if (r >= 0 && fflush(stdout) != 0)
                r = su_fail_errno(&error, errno, "cannot write to standard output");
        if (r >= 0)
                return 0;
        su_make_printable(error.message);
        (void)fprintf(stderr, "suture-tuf: %s\n", error.message);
        return 1;
}
