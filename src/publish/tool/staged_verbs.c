#include "publish/tool/staged_verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/tool/print.h"
#include "publish/tool/session.h"
#include "publish/tool/sigfile.h"
#include "publish/tool/waiting.h"

int su_staged_show(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_json json_t *waiting = NULL;
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_READ, &publisher, err);
        if (r >= 0)
                r = su_waiting_json(&publisher, &waiting, err);
        if (r < 0)
                return r;
        if (!arguments->json) {
                if (json_array_size(waiting) == 0)
                        (void)puts("Nothing waits for signatures.");
                return su_waiting_print(&publisher, err);
        }
        return su_print_json(waiting, err);
}

/* Refuse what is for something else than what waits, however good it is. */
static int check_subject(const struct su_signature_file *file, const struct su_metadata *staged,
                         struct su_error *err)
{
        struct su_sha256 fingerprint;
        int r;

        if (file->version != staged->version)
                return su_fail(err, SU_ERROR_CONFLICT,
                               "it is for version %lld of '%s', and version %lld waits",
                               (long long)file->version, file->role, (long long)staged->version);
        r = su_signing_fingerprint(staged->signed_part, &fingerprint, err);
        if (r < 0)
                return r;
        if (!su_sha256_equal(&fingerprint, &file->fingerprint))
                return su_fail(err, SU_ERROR_CONFLICT,
                               "it is for another version %lld of '%s' than the one that waits: "
                               "sign that",
                               (long long)file->version, file->role);
        return 0;
}

static bool has_key(const struct su_authorities *authorities, const char *keyid)
{
        struct su_sha256 id;

        if (!su_hex_decode(keyid, id.bytes, sizeof id.bytes))
                return false;
        for (size_t i = 0; i < authorities->n; i++)
                for (size_t j = 0; j < authorities->each[i].signers.n_ids; j++)
                        if (su_sha256_equal(&authorities->each[i].signers.ids[j], &id))
                                return true;
        return false;
}

/* Put it in the place of the empty one, or of one that is there. */
static int put_signature(json_t *document, const struct su_signature_file *file,
                         struct su_error *err)
{
        json_t *signatures = json_object_get(document, "signatures");
        json_t *entry;
        size_t i;

        json_array_foreach (signatures, i, entry)
                if (strcmp(json_string_value(json_object_get(entry, "keyid")), file->keyid) == 0)
                        return json_object_set_new(entry, "sig", json_string(file->sig)) < 0
                                       ? su_fail_oom(err)
                                       : 0;
        return json_array_append_new(signatures, json_pack("{s:s, s:s}", "keyid", file->keyid,
                                                           "sig", file->sig)) < 0
                       ? su_fail_oom(err)
                       : 0;
}

/* Whether the key's signature is among those that count. */
static bool counts(const struct su_authorities *authorities, const struct su_metadata *metadata,
                   const char *keyid)
{
        for (size_t i = 0; i < authorities->n; i++) {
                const struct su_authority *authority = &authorities->each[i];
                su_auto_free size_t *good = calloc(authority->signers.n_ids + 1, sizeof *good);
                int n = good ? su_metadata_signed_by(metadata, &authority->keys,
                                                     &authority->signers, good, NULL)
                             : 0;

                for (int j = 0; j < n; j++) {
                        char hex[SU_SHA256_HEX_SIZE];

                        su_hex_encode(authority->signers.ids[good[j]].bytes, SU_SHA256_SIZE, hex);
                        if (strcmp(hex, keyid) == 0)
                                return true;
                }
        }
        return false;
}

static int add_signature(struct su_publisher *publisher, const char *path, struct su_error *err)
{
        const struct su_workspace *workspace = &publisher->workspace;
        su_auto_authorities struct su_authorities authorities = {0};
        su_auto_signature_file struct su_signature_file file = {0};
        su_auto_metadata struct su_metadata staged = {0};
        int r;

        r = su_signature_file_read(path, &file, err);
        if (r < 0)
                return r;
        r = su_repository_staged(workspace, file.role, &staged, err);
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_NOT_FOUND, "signature '%s': nothing of '%s' waits",
                               path, file.role);
        if (r >= 0)
                r = check_subject(&file, &staged, err);
        if (r >= 0)
                r = su_authorities_of(workspace, file.role,
                                      staged.type == SU_ROLE_ROOT ? &staged : NULL, &authorities,
                                      err);
        if (r >= 0 && !has_key(&authorities, file.keyid))
                r = su_fail(err, SU_ERROR_SIGNATURE, "role '%s' does not know the key %s",
                            file.role, file.keyid);
        if (r >= 0)
                r = put_signature(staged.document, &file, err);
        if (r >= 0 && !counts(&authorities, &staged, file.keyid))
                r = su_fail(err, SU_ERROR_SIGNATURE, "it is not a signature of '%s' by the key %s",
                            file.role, file.keyid);
        if (r < 0)
                return su_fail_prefix(err, r, "signature '%s'", path);
        return su_staging_write(workspace, file.role, staged.document, err);
}

int su_staged_add_signatures(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_published struct su_published published = {0};
        int r;

        if (arguments->n_operands == 0)
                return su_fail(err, SU_ERROR_USAGE, "give the signatures that are to be added");
        r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r >= 0)
                r = su_staging_begin(&publisher.workspace, err);
        for (size_t i = 0; i < arguments->n_operands && r >= 0; i++)
                r = add_signature(&publisher, arguments->operands[i], err);
        if (r >= 0)
                r = su_waiting_finish(&publisher, false, &published, err);
        return r < 0 ? r : su_waiting_report(&publisher, &published, err);
}

int su_staged_discard(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        int r;

        if (arguments->n_operands > 0)
                return su_fail(err, SU_ERROR_USAGE,
                               "what waits belongs together: all of it is discarded");
        r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r >= 0)
                r = su_remove_tree(publisher.workspace.fd, SU_STAGED, err);
        if (r < 0)
                return r;
        (void)puts("Nothing waits any more; drafts and keys are still there.");
        return 0;
}
