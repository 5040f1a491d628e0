#include "publish/signing/logging.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "improvement/statement.h"
#include "log/ledger.h"

bool su_log_exists(const struct su_workspace *workspace)
{
        return faccessat(workspace->fd, SU_LOG_POLICY_PATH, F_OK, 0) == 0;
}

int su_log_read_policy(int dir_fd, const char *path, struct su_policy **ret, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_file_read(dir_fd, path, SU_POLICY_SIZE_MAX, &text, &size, err);
        return r < 0 ? r : su_policy_parse(path, text, size, ret, err);
}

int su_log_open_public(const struct su_workspace *workspace, int *ret_fd, struct su_error *err)
{
        *ret_fd = openat(workspace->fd, "public", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*ret_fd < 0)
                return su_fail_errno(err, errno, "cannot open 'public'");
        return 0;
}

static void tell_failed_witness(void *userdata, const char *witness, const struct su_error *error)
{
        (void)userdata;
        (void)fprintf(stderr, "suture-publish: witness %s: %s\n", witness, error->message);
}

static int prove(struct su_ledger *ledger, const char *entry, size_t size, char **ret,
                 struct su_error *err)
{
        struct su_error here = {0};
        uint64_t index;
        int r;

        r = su_ledger_append(ledger, entry, size, &index, err);
        if (r >= 0)
                r = su_ledger_ask_witnesses(ledger, tell_failed_witness, NULL, err);
        if (r < 0)
                return r;
        r = su_ledger_prove(ledger, index, entry, size, ret, &here);
        if (r < 0 && here.code == SU_ERROR_NOT_LOGGED)
                return su_fail(err, SU_ERROR_NOT_LOGGED,
                               "it is entry %llu of the log, but not cosigned yet: %s. Have "
                               "public/log/checkpoint cosigned, add the cosignatures by "
                               "'suture-publish log add', and do this again",
                               (unsigned long long)index, here.message);
        if (r < 0 && err)
                *err = here;
        return r;
}

static int log_key(struct su_publisher *publisher, const struct su_private_key **ret,
                   struct su_error *err)
{
        struct su_key *key = su_keyring_named(&publisher->keyring, SU_LOG_KEY_NAME);

        if (!key)
                return su_fail(err, SU_ERROR_CONFIG, "the log's key '%s' is not among the keys",
                               SU_LOG_KEY_NAME);
        return su_key_private(&publisher->keyring, key, ret, err);
}

int su_log_prove_entry(struct su_publisher *publisher, const char *entry, size_t size, char **ret,
                       struct su_error *err)
{
        const struct su_workspace *workspace = &publisher->workspace;
        su_auto_policy struct su_policy *policy = NULL;
        su_auto_ledger struct su_ledger ledger = {0};
        su_auto_close int public_fd = -EBADF;
        const struct su_private_key *key;
        int r;

        if (!su_log_exists(workspace)) {
                *ret = NULL;
                return 0;
        }
        r = su_log_read_policy(workspace->fd, SU_LOG_POLICY_PATH, &policy, err);
        if (r >= 0)
                r = log_key(publisher, &key, err);
        if (r >= 0)
                r = su_log_open_public(workspace, &public_fd, err);
        if (r >= 0)
                r = su_ledger_open(public_fd, policy, key, &ledger, err);
        return r < 0 ? r : prove(&ledger, entry, size, ret, err);
}

/* public/targets/BASELINE/LEVEL/SHA256.manifest.json, where it will be once it is released, too. */
static int show_manifest(const struct su_workspace *workspace, const struct su_manifest *manifest,
                         const char *text, size_t size, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        su_auto_free char *directory = NULL;
        su_auto_free char *name = NULL;
        su_auto_close int fd = -EBADF;
        struct su_sha256 digest;
        int r;

        r = su_sha256_of(text, size, &digest, err);
        if (r < 0)
                return r;
        su_hex_encode(digest.bytes, sizeof digest.bytes, hex);
        r = su_format(&directory, err, "public/targets/%s/%s", manifest->baseline,
                      manifest->level.name);
        if (r >= 0)
                r = su_dir_make(workspace->fd, directory, 0755, &fd, err);
        if (r >= 0)
                r = su_format(&name, err, "%s.manifest.json", hex);
        return r < 0 ? r : su_file_write(fd, name, text, size, 0644, err);
}

int su_log_prove_release(struct su_publisher *publisher, const struct su_manifest *manifest,
                         char **ret, struct su_error *err)
{
        su_auto_free char *text = NULL;
        su_auto_free char *entry = NULL;
        size_t entry_size;
        size_t size;
        int r;

        *ret = NULL;
        if (!su_log_exists(&publisher->workspace))
                return 0;
        r = su_manifest_write(manifest, &text, &size, err);
        if (r >= 0)
                r = show_manifest(&publisher->workspace, manifest, text, size, err);
        if (r >= 0)
                r = su_statement_of_release(manifest->baseline, &manifest->level, text, size,
                                            &entry, &entry_size, err);
        return r < 0 ? r : su_log_prove_entry(publisher, entry, entry_size, ret, err);
}
