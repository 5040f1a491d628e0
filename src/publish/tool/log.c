/* suture-publish log: the public log of releases and recalls. */
#include "publish/signing/logging.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "log/audit.h"
#include "log/ledger.h"
#include "publish/keys/secret.h"
#include "publish/tool/print.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"
#include "transparency/cosignature.h"
#include "json/json.h"

/* The verifier key of `key` under this name: "NAME+ID+KEY". */
static int verifier_key(const char *name, enum su_note_type type, const struct su_private_key *key,
                        struct su_note_key **ret, struct su_error *err)
{
        su_auto_public_key struct su_public_key *public_key = NULL;
        int r;

        r = su_private_key_public(key, &public_key, err);
        return r < 0 ? r : su_note_key_new(name, type, public_key, ret, err);
}

static int write_policy(const struct su_workspace *workspace, const struct su_note_key *log,
                        struct su_error *err)
{
        su_auto_free char *vkey = NULL;
        su_auto_free char *text = NULL;
        int r;

        r = su_note_key_format(log, &vkey, err);
        if (r >= 0)
                r = su_format(&text, err,
                              "# Which log must have what a device installs, and who must have "
                              "seen it: C2SP tlog-policy.\n"
                              "log %s\n\n"
                              "# witness NAME VKEY URL\n"
                              "# group watchers 2 NAME NAME NAME\n"
                              "quorum none\n",
                              vkey);
        return r < 0 ? r
                     : su_file_write(workspace->fd, SU_LOG_POLICY_PATH, text, strlen(text), 0644,
                                     err);
}

/* The log's key: made here, unless an init that was cut off made it already. */
static int get_log_key(struct su_publisher *publisher, const struct su_private_key **ret,
                       struct su_error *err)
{
        struct su_key *key = su_keyring_named(&publisher->keyring, SU_LOG_KEY_NAME);
        int r = 0;

        if (!key)
                r = su_keyring_make(&publisher->keyring, SU_LOG_KEY_NAME, SU_KEY_ED25519, true,
                                    &key, err);
        return r < 0 ? r : su_key_private(&publisher->keyring, key, ret, err);
}

/* The policy comes last: it says that there is a log. */
static int make_log(struct su_publisher *publisher, const char *origin, struct su_error *err)
{
        su_auto_note_key struct su_note_key *log = NULL;
        su_auto_close int public_fd = -EBADF;
        const struct su_private_key *key;
        int r;

        r = get_log_key(publisher, &key, err);
        if (r >= 0)
                r = verifier_key(origin, SU_NOTE_ED25519, key, &log, err);
        if (r >= 0)
                r = su_log_open_public(&publisher->workspace, &public_fd, err);
        if (r < 0)
                return r;
        r = su_ledger_create(public_fd, log, key, err);
        if (r < 0 && r != -EEXIST) /* an init that was cut off made it */
                return r;
        return write_policy(&publisher->workspace, log, err);
}

static int log_init(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        int r;

        if (!arguments->origin)
                return su_fail(err, SU_ERROR_USAGE,
                               "say how the log is called with --origin, for instance "
                               "updates.example.org/suture/log");
        r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r >= 0 && su_log_exists(&publisher.workspace))
                r = su_fail(err, SU_ERROR_CONFLICT, "the workspace has a log already");
        if (r >= 0)
                r = make_log(&publisher, arguments->origin, err);
        if (r < 0)
                return r;
        (void)printf("Made the log %s.\n"
                     "  public/log/   its files, to be served with the repository\n"
                     "  log-policy    add witnesses, then ship it in the OS as "
                     "/etc/suture/log-policy\n",
                     arguments->origin);
        return 0;
}

/* The policy that was given, else the workspace's. */
static int choose_policy(const struct su_publish_arguments *arguments, struct su_policy **ret,
                         struct su_error *err)
{
        su_auto_workspace struct su_workspace workspace = {.fd = -EBADF};
        int r;

        if (arguments->policy)
                return su_log_read_policy(AT_FDCWD, arguments->policy, ret, err);
        r = su_workspace_open(arguments->workspace, SU_WORKSPACE_READ, &workspace, err);
        return r < 0 ? r : su_log_read_policy(workspace.fd, SU_LOG_POLICY_PATH, ret, err);
}

/* The repository that was named, else the workspace's. */
static int choose_place(const struct su_publish_arguments *arguments, struct su_place **ret,
                        struct su_error *err)
{
        su_auto_free char *path = NULL;
        int r;

        if (arguments->n_operands > 2)
                return su_fail(err, SU_ERROR_USAGE, "'log %s' takes one repository",
                               arguments->operands[0]);
        if (arguments->n_operands == 2)
                return su_place_open(arguments->operands[1], ret, err);
        r = su_format(&path, err, "%s/public", arguments->workspace);
        return r < 0 ? r : su_place_open(path, ret, err);
}

/* From what was seen last to what is seen now, one at a time: two that both began with the old
 * state could find two histories that go on from it, and vouch for both. */
static int lock_state(const char *path, int *ret_fd, struct su_error *err)
{
        su_auto_free char *name = NULL;
        su_auto_close int fd = -EBADF;
        int r;

        if (!path)
                return 0;
        r = su_format(&name, err, "%s.lock", path);
        if (r < 0)
                return r;
        fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", name);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? su_fail(err, SU_ERROR_BUSY,
                                                      "another process works with '%s'", path)
                                            : su_fail_errno(err, errno, "cannot lock '%s'", name);
        *ret_fd = su_take_fd(&fd);
        return 0;
}

/* The checkpoint that was seen last; NULL when none was. */
static int read_state(const char *path, char **ret, struct su_error *err)
{
        struct su_error here = {0};
        size_t size;
        int r;

        *ret = NULL;
        if (!path)
                return 0;
        r = su_file_read(AT_FDCWD, path, SU_NOTE_SIZE_MAX, ret, &size, &here);
        if (r == -ENOENT)
                return 0;
        if (r < 0 && err)
                *err = here;
        return r;
}

static int write_state(const char *path, const char *note, struct su_error *err)
{
        return path ? su_file_write(AT_FDCWD, path, note, strlen(note), 0644, err) : 0;
}

static json_t *findings_to_json(const struct su_audit *audit)
{
        su_auto_json json_t *findings = json_array();

        for (size_t i = 0; i < audit->n_findings; i++)
                if (json_array_append_new(findings,
                                          json_pack("{s:I, s:s}", "index",
                                                    (json_int_t)audit->findings[i].index, "message",
                                                    audit->findings[i].message)) < 0)
                        return NULL;
        return su_take(findings);
}

static int print_audit_json(const struct su_audit *audit, struct su_error *err)
{
        const struct su_checkpoint *checkpoint = &audit->head.checkpoint;
        su_auto_json json_t *document = json_pack(
                "{s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "origin", checkpoint->origin, "size",
                (json_int_t)checkpoint->size, "cosignatures", (json_int_t)audit->head.n_cosigned,
                "releases", (json_int_t)audit->n_releases, "recalls", (json_int_t)audit->n_recalls,
                "grown_from",
                audit->has_old ? json_integer((json_int_t)audit->old_size) : json_null(),
                "findings", findings_to_json(audit));

        return su_print_json(document, err);
}

static void print_audit(const struct su_audit *audit)
{
        const struct su_checkpoint *checkpoint = &audit->head.checkpoint;

        (void)printf("%s: entries %llu (releases %llu, recalls %llu), cosignatures %zu.\n",
                     checkpoint->origin, (unsigned long long)checkpoint->size,
                     (unsigned long long)audit->n_releases, (unsigned long long)audit->n_recalls,
                     audit->head.n_cosigned);
        if (audit->has_old)
                (void)printf("It has only grown, from %llu entries.\n",
                             (unsigned long long)audit->old_size);
        for (size_t i = 0; i < audit->n_findings; i++)
                (void)printf("entry %llu: %s\n", (unsigned long long)audit->findings[i].index,
                             audit->findings[i].message);
}

static int log_check(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_policy struct su_policy *policy = NULL;
        su_auto_place struct su_place *place = NULL;
        su_auto_audit struct su_audit audit = {0};
        su_auto_free char *old_note = NULL;
        su_auto_close int lock_fd = -EBADF;
        int r;

        r = choose_policy(arguments, &policy, err);
        if (r >= 0)
                r = choose_place(arguments, &place, err);
        if (r >= 0)
                r = lock_state(arguments->state, &lock_fd, err);
        if (r >= 0)
                r = read_state(arguments->state, &old_note, err);
        if (r >= 0)
                r = su_audit_make(place, policy, old_note, &audit, err);
        if (r < 0)
                return r;
        if (arguments->json)
                r = print_audit_json(&audit, err);
        else
                print_audit(&audit);
        if (r >= 0 && audit.n_findings > 0)
                r = su_fail(err, SU_ERROR_NOT_LOGGED,
                            "%zu entries of the log are not what was published", audit.n_findings);
        return r < 0 ? r : write_state(arguments->state, audit.note, err);
}

static int load_key_file(const struct su_publish_arguments *arguments, struct su_private_key **ret,
                         struct su_error *err)
{
        struct su_secrets secrets = su_secrets_of(arguments);
        struct su_passphrase_source source = su_secrets_source(&secrets);

        return su_private_key_load(AT_FDCWD, arguments->key, &source, ret, err);
}

/* Be a witness: what was seen is remembered before it is said. */
static int log_cosign(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_private_key struct su_private_key *key = NULL;
        su_auto_note_key struct su_note_key *witness = NULL;
        su_auto_policy struct su_policy *policy = NULL;
        su_auto_place struct su_place *place = NULL;
        su_auto_free char *old_note = NULL;
        su_auto_close int lock_fd = -EBADF;
        su_auto_free char *note = NULL;
        su_auto_free char *text = NULL;
        su_auto_free char *line = NULL;
        int r;

        if (!arguments->key || !arguments->name || !arguments->state)
                return su_fail(err, SU_ERROR_USAGE,
                               "'log cosign' wants --key, --name and --state: a witness has a key "
                               "and a name, and remembers what it saw");
        r = choose_policy(arguments, &policy, err);
        if (r >= 0)
                r = choose_place(arguments, &place, err);
        if (r >= 0)
                r = load_key_file(arguments, &key, err);
        if (r >= 0)
                r = verifier_key(arguments->name, SU_NOTE_COSIGNATURE, key, &witness, err);
        if (r >= 0)
                r = lock_state(arguments->state, &lock_fd, err);
        if (r >= 0)
                r = read_state(arguments->state, &old_note, err);
        if (r >= 0)
                r = su_audit_for_witness(place, policy, old_note, &note, &text, err);
        if (r >= 0)
                r = su_cosignature_make(text, su_now(), witness, key, &line, err);
        if (r >= 0)
                r = write_state(arguments->state, note, err);
        if (r >= 0)
                (void)fputs(line, stdout);
        return r;
}

/* How a witness is called in a policy. */
static int log_vkey(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_private_key struct su_private_key *key = NULL;
        su_auto_note_key struct su_note_key *witness = NULL;
        su_auto_free char *vkey = NULL;
        int r;

        if (!arguments->key || !arguments->name)
                return su_fail(err, SU_ERROR_USAGE, "'log vkey' wants --key and --name");
        r = load_key_file(arguments, &key, err);
        if (r >= 0)
                r = verifier_key(arguments->name, SU_NOTE_COSIGNATURE, key, &witness, err);
        if (r >= 0)
                r = su_note_key_format(witness, &vkey, err);
        if (r >= 0)
                (void)puts(vkey);
        return r;
}

static int add_file(struct su_ledger *ledger, const char *path, struct su_error *err)
{
        su_auto_free char *lines = NULL;
        size_t size;
        int r;

        r = su_file_read(AT_FDCWD, path, SU_NOTE_SIZE_MAX, &lines, &size, err);
        if (r >= 0)
                r = su_ledger_add_cosignatures(ledger, lines, size, err);
        return r < 0 ? su_fail_prefix(err, r, "'%s'", path) : 0;
}

static int log_add(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_workspace struct su_workspace workspace = {.fd = -EBADF};
        su_auto_policy struct su_policy *policy = NULL;
        su_auto_ledger struct su_ledger ledger = {0};
        su_auto_close int public_fd = -EBADF;
        int r;

        if (arguments->n_operands < 2)
                return su_fail(err, SU_ERROR_USAGE, "'log add' wants files with cosignatures");
        r = su_workspace_open(arguments->workspace, SU_WORKSPACE_CHANGE, &workspace, err);
        if (r >= 0)
                r = su_log_read_policy(workspace.fd, SU_LOG_POLICY_PATH, &policy, err);
        if (r >= 0)
                r = su_log_open_public(&workspace, &public_fd, err);
        if (r >= 0)
                r = su_ledger_open(public_fd, policy, NULL, &ledger, err);
        for (size_t i = 1; i < arguments->n_operands && r >= 0; i++)
                r = add_file(&ledger, arguments->operands[i], err);
        return r;
}

int su_verb_log(const struct su_publish_arguments *arguments, struct su_error *err)
{
        static const struct {
                const char *name;
                int (*run)(const struct su_publish_arguments *arguments, struct su_error *err);
        } actions[] = {
                {"init", log_init}, {"check", log_check}, {"cosign", log_cosign},
                {"vkey", log_vkey}, {"add", log_add},
        };
        const char *name = arguments->n_operands > 0 ? arguments->operands[0] : "";

        for (size_t i = 0; i < SU_ELEMENTS(actions); i++)
                if (strcmp(name, actions[i].name) == 0)
                        return actions[i].run(arguments, err);
        return su_fail(err, SU_ERROR_USAGE, "log what? init, check, cosign, vkey or add");
}
