#include "publish/tool/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/printable.h"
#include "base/text.h"
#include "improvement/manifest.h"
#include "publish/tool/crowd.h"
#include "trust/keys.h"

enum kind { TEXT, TEXTS, FLAG, NUMBER };

#define FIELD(field) offsetof(struct su_publish_arguments, field)

static const struct {
        const char *name;
        enum kind kind;
        size_t field;
        int min;
        int max;
} table[] = {
        {"add", FLAG, FIELD(add), 0, 0},
        {"advisory", TEXT, FIELD(advisory), 0, 0},
        {"ask-passphrase", FLAG, FIELD(ask_passphrase), 0, 0},
        {"baseline", TEXT, FIELD(baseline), 0, 0},
        {"component", TEXT, FIELD(component), 0, 0},
        {"cve", TEXTS, FIELD(cves), 0, 0},
        {"days", NUMBER, FIELD(days), 1, SU_CROWD_DAYS_MAX},
        {"discard", FLAG, FIELD(discard), 0, 0},
        {"draft", FLAG, FIELD(draft), 0, 0},
        {"dry-run", FLAG, FIELD(dry_run), 0, 0},
        {"endpoint", TEXT, FIELD(endpoint), 0, 0},
        {"fast", FLAG, FIELD(fast), 0, 0},
        {"fixed", TEXT, FIELD(fixed), 0, 0},
        {"fixes", TEXT, FIELD(fixes), 0, 0},
        {"force", FLAG, FIELD(force), 0, 0},
        {"hints", TEXT, FIELD(hints), 0, 0},
        {"group", TEXTS, FIELD(groups), 0, 0},
        {"health", TEXT, FIELD(health), 0, 0},
        {"index", NUMBER, FIELD(index), 1, 1000000},
        {"jobs", NUMBER, FIELD(jobs), 1, 256},
        {"json", FLAG, FIELD(json), 0, 0},
        {"key", TEXT, FIELD(key), 0, 0},
        {"later", FLAG, FIELD(later), 0, 0},
        {"level", TEXT, FIELD(level), 0, 0},
        {"machines", NUMBER, FIELD(machines), 1, 100000000},
        {"mark", TEXTS, FIELD(marks), 0, 0},
        {"name", TEXT, FIELD(name), 0, 0},
        {"new-version", TEXT, FIELD(new_version), 0, 0},
        {"notice", TEXT, FIELD(notice), 0, 0},
        {"old", TEXT, FIELD(old), 0, 0},
        {"old-version", TEXT, FIELD(old_version), 0, 0},
        {"only", TEXTS, FIELD(only), 0, 0},
        {"origin", TEXT, FIELD(origin), 0, 0},
        {"output", TEXT, FIELD(output), 0, 0},
        {"override", TEXTS, FIELD(overrides), 0, 0},
        {"passphrase-file", TEXT, FIELD(passphrase_file), 0, 0},
        {"policy", TEXT, FIELD(policy), 0, 0},
        {"prune", FLAG, FIELD(prune), 0, 0},
        {"reason", TEXT, FIELD(reason), 0, 0},
        {"recall-at", NUMBER, FIELD(recall_at), 1, 100},
        {"region", TEXT, FIELD(region), 0, 0},
        {"rollout", NUMBER, FIELD(rollout), 0, 100},
        {"root", TEXT, FIELD(root), 0, 0},
        {"root-key", TEXTS, FIELD(root_keys), 0, 0},
        {"root-threshold", NUMBER, FIELD(root_threshold), 1, SU_KEYS_MAX},
        {"slurm", FLAG, FIELD(slurm), 0, 0},
        {"sources", TEXT, FIELD(sources), 0, 0},
        {"state", TEXT, FIELD(state), 0, 0},
        {"store", TEXT, FIELD(store), 0, 0},
        {"targets-key", TEXTS, FIELD(targets_keys), 0, 0},
        {"threshold", NUMBER, FIELD(threshold), 1, SU_KEYS_MAX},
        {"token", TEXT, FIELD(token), 0, 0},
        {"tree", TEXT, FIELD(tree), 0, 0},
        {"type", TEXT, FIELD(type), 0, 0},
        {"url", TEXT, FIELD(url), 0, 0},
        {"workspace", TEXT, FIELD(workspace), 0, 0},
};

enum { OPTION_TABLE = 256, OPTION_HELP = 512, OPTION_VERSION };

void su_options_print_help(void)
{
        (void)puts(
                "\n"
                "  -C, --workspace=DIR  The publisher's workspace (default: .)\n"
                "  --tree=DIR           baseline, build: the baseline's OS tree, or an image of "
                "it\n"
                "  --baseline=NAME      build, release, recall, floor: which, when there are "
                "several\n"
                "  --component=NAME     build: what is fixed\n"
                "  --fixed=DIR          build: a tree with the fixed files, or an image\n"
                "  --only=PATTERN       build: which of the files are the component's; may be "
                "repeated\n"
                "  --old-version=V, --new-version=V\n"
                "                       build: versions, when no package says them\n"
                "  --sources=FILE       from-debian: a sources.list (default: the tree's)\n"
                "  --draft              from-debian: draft what is proposed\n"
                "  --cve=ID[:SEVERITY]  build: fixed as well; may be repeated\n"
                "  --advisory=URL       build: where to read about a fix; {id} is its name\n"
                "  --fixes=FILE         build: impact, credit and more of each fix\n"
                "  --mark=TEXT          build: a string that only the old code has; may be "
                "repeated\n"
                "  --notice=TEXT        build: what its running users should know until they "
                "are restarted\n"
                "  --override=CHECK:PATTERN:REASON\n"
                "                       build: what a check found is right all the same; may be "
                "repeated\n"
                "  --hints=FILE         build: restart rules of the component's users\n"
                "  --health=FILE        build: health checks of the component's users\n"
                "  --fast               build: larger deltas, made in a tenth of the time\n"
                "  --later              build: leave the deltas to 'plan' and 'run'\n"
                "  --store=DIR          build, plan, run, release: where finished deltas are "
                "(default: deltas)\n"
                "  --jobs=N             build, run, upload: how many at a time (default: 1; "
                "upload: 4)\n"
                "  --slurm              plan: write a batch script as well\n"
                "  --index=N            run: the job of that number in the plan\n"
                "  --rollout=PERCENT    release: part of the devices (default: 100)\n"
                "  --group=NAME         release, rollout set: machines that come first; may be "
                "repeated\n"
                "  --level=LEVEL, --reason=TEXT\n"
                "                       recall, floor, rollout, changes, verify: what, and what "
                "people are told\n"
                "  --machines=N, --days=N, --recall-at=PERCENT\n"
                "                       simulate: how many (default: a million), how long, and "
                "when it is recalled\n"
                "  --origin=NAME        log init: how the log is called\n"
                "  --policy=FILE        log check, log cosign: instead of the workspace's\n"
                "  --state=FILE         the same: the checkpoint that was seen last\n"
                "  --name=NAME          log cosign, log vkey: how the witness is called\n"
                "  --root-key=PUB, --targets-key=PUB\n"
                "                       init: public keys from elsewhere; may be repeated\n"
                "  --root-threshold=N   init: how many root keys must sign (default: 1)\n"
                "  --threshold=N        key rotate: how many of its keys must sign\n"
                "  --type=TYPE          key new, key rotate: ed25519 (default), ecdsa or rsa\n"
                "  --token=URI          key new, sign: a key in a token, by its PKCS #11 URI\n"
                "  --key=PEM            sign, log cosign, log vkey: with this private key\n"
                "  --old=FILE           sign: the metadata before, to compare with\n"
                "  -o, --output=FILE    sign: where the signature goes\n"
                "  --add, --discard     sign: add signatures; forget what waits\n"
                "  --dry-run            sign, upload: only show\n"
                "  --force              sign: also with a key that the role does not know\n"
                "  --passphrase-file=FILE, --ask-passphrase\n"
                "                       The passphrase of private keys: the file's first line\n"
                "  --url=URL            check, verify: where devices get it, instead of public/\n"
                "  --root=FILE          verify: the root metadata that devices begin with\n"
                "  --endpoint=URL, --region=NAME\n"
                "                       upload: the object store (region: us-east-1)\n"
                "  --prune              upload: remove there what is not here any more\n"
                "  --json               show, changes, from-debian, plan, check, advisories, key "
                "list, "
                "sign, log "
                "check: print JSON\n"
                "  --help, --version\n\n"
                "Exit status: 0 done; others: see suture-publish(1).");
}

static int add_text(struct su_texts *texts, const char *text, struct su_error *err)
{
        const char **larger = reallocarray(texts->texts, texts->n + 1, sizeof *larger);

        if (!larger)
                return su_fail_oom(err);
        larger[texts->n++] = text;
        texts->texts = larger;
        return 0;
}

static int set_number(size_t entry, const char *text, int *field, struct su_error *err)
{
        char *end;
        long number = strtol(text, &end, 10);

        if (end == text || *end != '\0' || number < table[entry].min || number > table[entry].max)
                return su_fail(err, SU_ERROR_USAGE, "--%s takes a number from %d to %d, not '%s'",
                               table[entry].name, table[entry].min, table[entry].max, text);
        *field = (int)number;
        return 0;
}

static int set(size_t entry, const char *text, struct su_publish_arguments *arguments,
               struct su_error *err)
{
        void *field = (char *)arguments + table[entry].field;

        switch (table[entry].kind) {
        case TEXT:
                *(const char **)field = text;
                return 0;
        case TEXTS:
                return add_text(field, text, err);
        case FLAG:
                *(bool *)field = true;
                return 0;
        case NUMBER:
                return set_number(entry, text, field, err);
        }
        return 0;
}

static int apply(int option, const char *text, struct su_publish_arguments *arguments,
                 struct su_error *err)
{
        if (option == 'C') {
                arguments->workspace = text;
                return 0;
        }
        if (option == 'o') {
                arguments->output = text;
                return 0;
        }
        if (option < OPTION_TABLE)
                return su_fail(err, SU_ERROR_USAGE, "try 'suture-publish --help'");
        return set((size_t)(option - OPTION_TABLE), text, arguments, err);
}

/* ID or ID:SEVERITY */
static int check_fix(const char *text, struct su_error *err)
{
        const char *colon = strchr(text, ':');
        su_auto_free char *id = strndup(text, colon ? (size_t)(colon - text) : strlen(text));

        if (!id)
                return su_fail_oom(err);
        if (!su_name_is_safe(id))
                return su_fail(err, SU_ERROR_USAGE, "'%s' is not an identifier", id);
        if (colon && !su_severity_is_known(colon + 1))
                return su_fail(err, SU_ERROR_USAGE,
                               "'%s' is no severity: low, moderate, high or critical", colon + 1);
        return 0;
}

/* What is wrong in itself, whatever the verb. */
static int check(const struct su_publish_arguments *arguments, struct su_error *err)
{
        for (size_t i = 0; i < arguments->cves.n; i++) {
                int r = check_fix(arguments->cves.texts[i], err);

                if (r < 0)
                        return r;
        }
        if (arguments->notice && (strlen(arguments->notice) > SU_NOTICE_MAX ||
                                  !su_is_printable_ascii(arguments->notice)))
                return su_fail(err, SU_ERROR_USAGE, "a notice is a line of at most %d characters",
                               SU_NOTICE_MAX);
        return 0;
}

int su_options_parse(int argc, char **argv, struct su_publish_arguments *arguments,
                     enum su_question *ret_question, struct su_error *err)
{
        struct option options[SU_ELEMENTS(table) + 3] = {
                [SU_ELEMENTS(table)] = {"help", no_argument, NULL, OPTION_HELP},
                {"version", no_argument, NULL, OPTION_VERSION},
        };
        int option;

        for (size_t i = 0; i < SU_ELEMENTS(table); i++)
                options[i] = (struct option){
                        table[i].name, table[i].kind == FLAG ? no_argument : required_argument,
                        NULL, OPTION_TABLE + (int)i};
        while ((option = getopt_long(argc, argv, "C:o:", options, NULL)) >= 0) {
                int r;

                if (option == OPTION_HELP || option == OPTION_VERSION) {
                        *ret_question =
                                option == OPTION_HELP ? SU_QUESTION_HELP : SU_QUESTION_VERSION;
                        return 0;
                }
                r = apply(option, optarg, arguments, err);
                if (r < 0)
                        return r;
        }
        arguments->operands = argv + optind;
        arguments->n_operands = (size_t)(argc - optind);
        return check(arguments, err);
}

void su_options_done(struct su_publish_arguments *arguments)
{
        free(arguments->cves.texts);
        free(arguments->groups.texts);
        free(arguments->marks.texts);
        free(arguments->only.texts);
        free(arguments->overrides.texts);
        free(arguments->root_keys.texts);
        free(arguments->targets_keys.texts);
}
