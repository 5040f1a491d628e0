/* suture-publish key new: a key pair, also on a machine that has no workspace. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "publish/keys/keytype.h"
#include "publish/signing/publisher.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"

static void report(const struct su_publish_arguments *arguments, const struct su_key *key)
{
        const char *below = su_workspace_is_one(arguments->workspace) ? "keys/" : "";
        const char *name = key->file.name;
        char id[SU_SHA256_HEX_SIZE];

        su_hex_encode(key->file.id.bytes, SU_SHA256_SIZE, id);
        (void)printf("Key %s: %s\n", name, id);
        if (key->place == SU_KEY_IN_TOKEN)
                (void)printf("  %s/%s%s.uri   where the token has it\n", arguments->workspace,
                             below, name);
        else
                (void)printf("  %s/%s%s.pem   private%s: for nobody else\n", arguments->workspace,
                             below, name, key->encrypted ? ", encrypted" : ", NOT encrypted");
        (void)printf("  %s/%s%s.pub   public: for the publisher\n", arguments->workspace, below,
                     name);
}

int su_verb_key_new(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_keyring struct su_keyring keyring = {.fd = -EBADF};
        const char *name = arguments->operands[0];
        enum su_key_type type;
        struct su_key *key;
        int r;

        r = su_key_type_parse(arguments->type, &type, err);
        if (r >= 0 && arguments->token && arguments->type)
                r = su_fail(err, SU_ERROR_USAGE, "the type of a token's key is what it is");
        if (r >= 0)
                r = su_publisher_open_keys(arguments, &keyring, err);
        if (r < 0)
                return r;
        if (arguments->token)
                r = su_keyring_add_token(&keyring, name, arguments->token, &key, err);
        else
                r = su_keyring_make(&keyring, name, type, true, &key, err);
        if (r < 0)
                return r;
        report(arguments, key);
        return 0;
}
