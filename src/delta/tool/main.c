/* suture-delta: make, apply and look into deltas. See suture-delta(1). */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "base/printable.h"
#include "base/text.h"
#include "delta/apply/apply.h"
#include "delta/make/make.h"
#include "delta/tool/sources.h"

struct arguments {
        char *const *operands;
        size_t n;
        bool fast, json, progress;
};

#define EXIT_CANCELLED 42

static volatile sig_atomic_t interrupted;
/* What `make` leaves unfinished; it cannot be asked to stop. */
static const char *volatile unfinished;

static void interrupt(int signal)
{
        const char *path = unfinished;

        (void)signal;
        interrupted = 1;
        if (path) {
                (void)unlink(path);
                _exit(EXIT_CANCELLED);
        }
}

static int check_operands(const struct arguments *arguments, size_t min, const char *usage,
                          struct su_error *err)
{
        return arguments->n < min ? su_fail(err, SU_ERROR_USAGE, "usage: suture-delta %s", usage)
                                  : 0;
}

static int open_input(const char *path, int *ret, struct su_error *err)
{
        *ret = open(path, O_RDONLY | O_CLOEXEC);
        return *ret < 0 ? su_fail_errno(err, errno, "cannot open '%s'", path) : 0;
}

/* A file that comes to its name when it is complete; "-" is standard output. */
struct output {
        const char *path;
        char *temporary;
        int fd;
};

static void output_done(struct output *output)
{
        if (output->temporary)
                (void)unlink(output->temporary);
        free(output->temporary);
        su_close_fd(&output->fd);
}

static int output_open(const char *path, struct output *ret, struct su_error *err)
{
        int r;

        ret->path = path;
        if (strcmp(path, "-") == 0) {
                ret->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
                return ret->fd < 0 ? su_fail_errno(err, errno, "cannot use standard output") : 0;
        }
        r = su_format(&ret->temporary, err, "%s.XXXXXX", path);
        if (r < 0)
                return r;
        ret->fd = mkostemp(ret->temporary, O_CLOEXEC);
        if (ret->fd < 0) {
                int errnum = errno;

                free(su_take(ret->temporary));
                return su_fail_errno(err, errnum, "cannot create '%s'", path);
        }
        return 0;
}

static int output_keep(struct output *output, struct su_error *err)
{
        mode_t mask = umask(0);

        (void)umask(mask);
        if (!output->temporary)
                return 0;
        if (fchmod(output->fd, 0666 & ~mask) < 0 || rename(output->temporary, output->path) < 0)
                return su_fail_errno(err, errno, "cannot write '%s'", output->path);
        free(su_take(output->temporary));
        return 0;
}

/* ---- make ---- */

static int verb_make(const struct arguments *arguments, struct su_error *err)
{
        su_auto_sources struct su_sources sources = {0};
        su_auto(output_done) struct output patch = {.fd = -EBADF};
        su_auto_close int target_fd = -EBADF;
        int r;

        r = check_operands(arguments, 2, "make [OLD]... NEW PATCH", err);
        if (r >= 0)
                r = su_sources_open(arguments->operands, arguments->n - 2, &sources, err);
        if (r >= 0)
                r = open_input(arguments->operands[arguments->n - 2], &target_fd, err);
        if (r >= 0)
                r = output_open(arguments->operands[arguments->n - 1], &patch, err);
        if (r >= 0 && !patch.temporary)
                return su_fail(err, SU_ERROR_USAGE,
                               "make wants a file for the patch: it is read again to prove it");
        if (r >= 0) {
                unfinished = patch.temporary;
                r = su_delta_make(sources.fds, (const char *const *)sources.names, sources.n,
                                  target_fd, patch.fd,
                                  arguments->fast ? SU_DELTA_FAST : SU_DELTA_BEST, err);
                unfinished = NULL;
        }
        return r < 0 ? r : output_keep(&patch, err);
}

/* ---- apply ---- */

static bool show_progress(void *userdata, uint64_t done, uint64_t total)
{
        int *shown = userdata;
        int percent = total ? (int)(done * 100 / total) : 100;

        if (*shown >= 0 && percent != *shown) {
                *shown = percent;
                (void)fprintf(stderr, "\r%3d %%", percent);
        }
        return interrupted;
}

static int verb_apply(const struct arguments *arguments, struct su_error *err)
{
        su_auto_sources struct su_sources sources = {0};
        su_auto(output_done) struct output target = {.fd = -EBADF};
        su_auto_close int patch_fd = -EBADF;
        int shown = arguments->progress ? 0 : -1;
        int r;

        r = check_operands(arguments, 2, "apply [OLD]... PATCH NEW", err);
        if (r >= 0)
                r = su_sources_open(arguments->operands, arguments->n - 2, &sources, err);
        if (r >= 0)
                r = open_input(arguments->operands[arguments->n - 2], &patch_fd, err);
        if (r >= 0)
                r = output_open(arguments->operands[arguments->n - 1], &target, err);
        if (r >= 0)
                r = su_delta_apply(patch_fd, sources.fds, (const char *const *)sources.names,
                                   sources.n, target.fd, show_progress, &shown, err);
        if (arguments->progress)
                (void)fputc('\n', stderr);
        return r < 0 ? r : output_keep(&target, err);
}

/* ---- info ---- */

static const char *method_name(enum su_delta_method method)
{
        static const char *const names[] = {"stored", "zstd", "parts", "packed"};

        return names[method];
}

static void print_header(const struct su_delta_header *header, bool json)
{
        char hex[SU_SHA256_HEX_SIZE];
        uint64_t bytes = 0;

        for (size_t i = 0; i < SU_SHA256_SIZE; i++)
                (void)snprintf(hex + 2 * i, 3, "%02x", header->target.bytes[i]);
        for (size_t i = 0; i < header->n_sources; i++)
                bytes += header->source_sizes[i];
        (void)printf(json ? "{\"method\": \"%s\", \"sources\": %zu, \"source_bytes\": %llu, "
                            "\"target_bytes\": %llu, \"target_sha256\": \"%s\""
                          : "method:   %s\nsources:  %zu files, %llu bytes\n"
                            "target:   %llu bytes, SHA-256 %s\n",
                     method_name(header->method), header->n_sources, (unsigned long long)bytes,
                     (unsigned long long)header->target_size, hex);
}

static const char *const streams[SU_STREAMS] = {"shapes",      "operations", "chunks", "references",
                                                "differences", "inserts",    "targets"};
/* By enum su_elf_role. */
static const char *const places[SU_PLACES] = {
        "other", "code",     "plt",    "rela",        "relr", "dynamic", "symbols",
        "hash",  "pointers", "frames", "frame-index", "data", "relative"};

static double bytes_of(uint64_t cost)
{
        return (double)cost / (256 * 8);
}

static uint64_t cost_of_stream(const struct su_delta_account *account, size_t stream)
{
        uint64_t sum = 0;

        for (size_t i = 0; i < SU_PLACES; i++)
                sum += account->costs[stream][i];
        return sum;
}

static uint64_t cost_of_place(const struct su_delta_account *account, size_t place)
{
        uint64_t sum = 0;

        for (size_t i = 0; i < SU_STREAMS; i++)
                sum += account->costs[i][place];
        return sum;
}

static void print_account_json(const struct su_delta_account *account)
{
        (void)printf(", \"plain_parts\": %zu, \"modules\": %zu, \"packed_parts\": %zu, "
                     "\"decisions\": %llu, \"bytes\": {\"head\": %llu, \"packed\": %llu",
                     account->parts[SU_PART_PLAIN], account->parts[SU_PART_MODULE],
                     account->parts[SU_PART_PACKED], (unsigned long long)account->decisions,
                     (unsigned long long)account->head, (unsigned long long)account->packed);
        for (size_t i = 0; i < SU_STREAMS; i++) {
                (void)printf(", \"%s\": {\"all\": %.1f", streams[i],
                             bytes_of(cost_of_stream(account, i)));
                for (size_t j = 0; j < SU_PLACES && places[j]; j++)
                        if (account->costs[i][j])
                                (void)printf(", \"%s\": %.1f", places[j],
                                             bytes_of(account->costs[i][j]));
                (void)printf("}");
        }
        (void)printf("}");
}

static void print_row(const char *name, const uint64_t costs[SU_STREAMS], uint64_t sum)
{
        (void)printf("%-12s", name);
        for (size_t i = 0; i < SU_STREAMS; i++)
                (void)printf(" %11.1f", bytes_of(costs[i]));
        (void)printf(" %11.1f\n", bytes_of(sum));
}

static void print_account(const struct su_delta_account *account)
{
        uint64_t row[SU_STREAMS], sum = 0;

        (void)printf("parts:    %zu plain, %zu modules, %zu packed; %llu decisions\n"
                     "bytes:    head %llu, packed %llu, told:\n\n%-12s",
                     account->parts[SU_PART_PLAIN], account->parts[SU_PART_MODULE],
                     account->parts[SU_PART_PACKED], (unsigned long long)account->decisions,
                     (unsigned long long)account->head, (unsigned long long)account->packed, "");
        for (size_t i = 0; i < SU_STREAMS; i++)
                (void)printf(" %11s", streams[i]);
        (void)printf(" %11s\n", "all");
        for (size_t i = 0; i < SU_PLACES && places[i]; i++) {
                for (size_t j = 0; j < SU_STREAMS; j++)
                        row[j] = account->costs[j][i];
                if (cost_of_place(account, i))
                        print_row(places[i], row, cost_of_place(account, i));
        }
        for (size_t i = 0; i < SU_STREAMS; i++) {
                row[i] = cost_of_stream(account, i);
                sum += row[i];
        }
        print_row("all", row, sum);
}

/* With the sources, also where the bytes go. */
static int verb_info(const struct arguments *arguments, struct su_error *err)
{
        su_auto_delta_header struct su_delta_header header = {0};
        su_auto_sources struct su_sources sources = {0};
        su_auto_close int patch_fd = -EBADF;
        struct su_delta_account account;
        bool whole = arguments->n > 1;
        int r;

        r = check_operands(arguments, 1, "info [OLD]... PATCH", err);
        if (r >= 0)
                r = open_input(arguments->operands[arguments->n - 1], &patch_fd, err);
        if (r >= 0)
                r = su_delta_header_read(patch_fd, &header, err);
        if (r >= 0 && whole)
                r = su_sources_open(arguments->operands, arguments->n - 1, &sources, err);
        if (r >= 0 && whole)
                r = su_delta_inspect(patch_fd, sources.fds, (const char *const *)sources.names,
                                     sources.n, &account, err);
        if (r < 0)
                return r;
        print_header(&header, arguments->json);
        if (whole && header.method >= SU_DELTA_PARTS) {
                if (arguments->json)
                        print_account_json(&account);
                else
                        print_account(&account);
        }
        if (arguments->json)
                (void)printf("}\n");
        return 0;
}

/* ---- */

static const struct {
        const char *name;
        int (*run)(const struct arguments *arguments, struct su_error *err);
} verbs[] = {{"make", verb_make}, {"apply", verb_apply}, {"info", verb_info}};

static void print_help(void)
{
        (void)printf(
                "Usage: suture-delta [OPTION]... make [OLD]... NEW PATCH\n"
                "       suture-delta [OPTION]... apply [OLD]... PATCH NEW\n"
                "       suture-delta [OPTION]... info [OLD]... PATCH\n\n"
                "Make small patches between files, apply them, and look into them. A directory "
                "among\nthe old ones stands for all regular files below it.\n\n"
                "  --fast      make: a larger patch, in a tenth of the time\n"
                "  --progress  apply: show how far it is\n"
                "  --json      info: print JSON\n"
                "  --help, --version\n\n"
                "Exit status: 0 done; others: see suture-delta(1).\n");
}

static int run(const struct arguments *arguments, const char *name, struct su_error *err)
{
        for (size_t i = 0; i < SU_ELEMENTS(verbs); i++)
                if (strcmp(verbs[i].name, name) == 0)
                        return verbs[i].run(arguments, err);
        return su_fail(err, SU_ERROR_USAGE, "'%s' is none of make, apply, info", name);
}

/* A directory of old files is opened whole. */
static void allow_many_files(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
}

static void handle_signals(void)
{
        struct sigaction action = {.sa_handler = interrupt};

        (void)sigaction(SIGINT, &action, NULL);
        (void)sigaction(SIGTERM, &action, NULL);
}

int main(int argc, char **argv)
{
        static const struct option options[] = {
                {"fast", no_argument, NULL, 'f'},     {"json", no_argument, NULL, 'j'},
                {"progress", no_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'v'},  {NULL, 0, NULL, 0},
        };
        struct arguments arguments = {0};
        struct su_error err = {0};
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                switch (option) {
                case 'f':
                        arguments.fast = true;
                        break;
                case 'j':
                        arguments.json = true;
                        break;
                case 'p':
                        arguments.progress = true;
                        break;
                case 'h':
                        print_help();
                        return 0;
                case 'v':
                        (void)printf("suture-delta %s\n", SUTURE_VERSION);
                        return 0;
                default:
                        return 2;
                }
        }
        if (optind == argc) {
                print_help();
                return 2;
        }
        arguments.operands = argv + optind + 1;
        arguments.n = (size_t)(argc - optind - 1);
        allow_many_files();
        handle_signals();
        if (run(&arguments, argv[optind], &err) < 0) {
                (void)fprintf(stderr, "suture-delta: %s\n", err.message);
                return su_error_exit_status(err.code);
        }
        return fflush(stdout) == 0 ? 0 : 1;
}
