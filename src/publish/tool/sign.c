/* suture-publish sign FILE: show what would be signed, and sign it; needs no workspace. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "publish/signing/publisher.h"
#include "publish/tool/review.h"
#include "publish/tool/session.h"
#include "publish/tool/sigfile.h"
#include "publish/tool/staged_verbs.h"
#include "publish/tool/verbs.h"
#include "trust/sign.h"

static int write_signature(const struct su_publish_arguments *arguments,
                           const struct su_review *review, const struct su_private_key *key,
                           struct su_error *err)
{
        su_auto_json json_t *signature = NULL;
        su_auto_free char *beside = NULL;
        struct su_signature_file file = {.role = review->role,
                                         .version = review->metadata.version,
                                         .fingerprint = review->fingerprint};
        const char *keyid;
        const char *sig;
        int r;

        r = su_metadata_signature(review->metadata.signed_part, key, &signature, err);
        if (r >= 0)
                r = su_json_get_string(signature, "keyid", &keyid, err);
        if (r >= 0)
                r = su_json_get_string(signature, "sig", &sig, err);
        if (r >= 0)
                r = su_format(&beside, err, "%s.%s.signature", arguments->operands[0], keyid);
        if (r >= 0)
                r = su_strdup(keyid, &file.keyid, err);
        if (r >= 0)
                r = su_strdup(sig, &file.sig, err);
        if (r >= 0)
                r = su_signature_file_write(&file, arguments->output ? arguments->output : beside,
                                            err);
        free(file.keyid);
        free(file.sig);
        if (r >= 0)
                (void)printf("Signed: %s\n", arguments->output ? arguments->output : beside);
        return r;
}

static int public_id(const struct su_private_key *key, struct su_sha256 *ret, struct su_error *err)
{
        su_auto_public_key struct su_public_key *public_key = NULL;
        su_auto_json json_t *object = NULL;
        int r;

        r = su_private_key_public(key, &public_key, err);
        return r < 0 ? r : su_key_object(public_key, &object, ret, err);
}

static int check_known(const struct su_publish_arguments *arguments, const struct su_review *review,
                       const struct su_sha256 *id, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];

        if (arguments->force || su_review_knows_key(review, id))
                return 0;
        su_hex_encode(id->bytes, sizeof id->bytes, hex);
        return su_fail(err, SU_ERROR_SIGNATURE,
                       "role '%s' does not know the key %s%s: nothing is signed (--force does it "
                       "all the same)",
                       review->role, hex,
                       review->metadata.type == SU_ROLE_ROOT && !review->old.document
                               ? ", and the root before it is not at hand (--old)"
                               : "");
}

/* The key that was named. */
static int sign_with_given(const struct su_publish_arguments *arguments, struct su_keyring *keyring,
                           const struct su_review *review, struct su_error *err)
{
        struct su_passphrase_source source = su_secrets_source(&keyring->secrets);
        su_auto_private_key struct su_private_key *key = NULL;
        struct su_sha256 id;
        int r;

        r = arguments->key ? su_private_key_load(AT_FDCWD, arguments->key, &source, &key, err)
                           : su_private_key_open_token(arguments->token, &source, &key, err);
        if (r >= 0)
                r = public_id(key, &id, err);
        if (r >= 0)
                r = check_known(arguments, review, &id, err);
        return r < 0 ? r : write_signature(arguments, review, key, err);
}

/* Every key of the directory that the role knows. */
static int sign_with_own(const struct su_publish_arguments *arguments, struct su_keyring *keyring,
                         const struct su_review *review, struct su_error *err)
{
        size_t n = 0;

        for (size_t i = 0; i < keyring->n_keys; i++) {
                const struct su_private_key *key;
                int r;

                if (keyring->keys[i]->place == SU_KEY_ELSEWHERE ||
                    !su_review_knows_key(review, &keyring->keys[i]->file.id))
                        continue;
                if (++n > 1 && arguments->output)
                        return su_fail(err, SU_ERROR_USAGE,
                                       "several keys here can sign: say which with --key");
                r = su_key_private(keyring, keyring->keys[i], &key, err);
                if (r >= 0)
                        r = write_signature(arguments, review, key, err);
                if (r < 0)
                        return r;
        }
        if (n == 0)
                return su_fail(err, SU_ERROR_NOT_FOUND,
                               "no key that role '%s' knows is here: name one with --key or "
                               "--token",
                               review->role);
        return 0;
}

static int sign_file(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_keyring struct su_keyring keyring = {.fd = -EBADF};
        su_auto_review struct su_review review = {0};
        int r;

        if (arguments->key && arguments->token)
                return su_fail(err, SU_ERROR_USAGE, "give either --key or --token");
        r = su_publisher_open_keys(arguments, &keyring, err);
        if (r >= 0)
                r = su_review_read(arguments->operands[0], arguments->old, &review, err);
        if (r < 0)
                return r;
        su_review_print(&review, &keyring);
        if (arguments->dry_run)
                return 0;
        (void)fflush(stdout); /* before a passphrase is asked for */
        return arguments->key || arguments->token
                       ? sign_with_given(arguments, &keyring, &review, err)
                       : sign_with_own(arguments, &keyring, &review, err);
}

int su_verb_sign(const struct su_publish_arguments *arguments, struct su_error *err)
{
        if (arguments->add && arguments->discard)
                return su_fail(err, SU_ERROR_USAGE, "give either --add or --discard");
        if (arguments->add)
                return su_staged_add_signatures(arguments, err);
        if (arguments->discard)
                return su_staged_discard(arguments, err);
        if (arguments->n_operands == 0)
                return su_staged_show(arguments, err);
        if (arguments->n_operands > 1)
                return su_fail(err, SU_ERROR_USAGE, "one file is signed at a time");
        return sign_file(arguments, err);
}
