/* suture-publish init: a workspace, its keys, and an empty repository. */
#include <fcntl.h>
#include <stdio.h>

#include "base/text.h"
#include "publish/signing/compose.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"
#include "publish/tool/waiting.h"

/* A role's keys: those that were given, or one that is made. The keys of snapshot and timestamp are
 * used by a timer, so they get no passphrase. */
static int choose_keys(struct su_publisher *publisher, enum su_role role,
                       const struct su_texts *given, int threshold, json_t *root,
                       struct su_error *err)
{
        su_auto_key_choice struct su_key_choice choice = {.threshold = threshold ? (size_t)threshold
                                                                                 : 1};
        bool is_online = role == SU_ROLE_SNAPSHOT || role == SU_ROLE_TIMESTAMP;
        struct su_key *key;
        int r = 0;

        for (size_t i = 0; given && i < given->n && r >= 0; i++) {
                r = su_keyring_add_public(&publisher->keyring, given->texts[i], &key, err);
                if (r >= 0)
                        r = su_key_choice_add(&choice, key, err);
        }
        if (r >= 0 && choice.n == 0) {
                r = su_keyring_make(&publisher->keyring, su_role_name(role), SU_KEY_ED25519,
                                    !is_online, &key, err);
                if (r >= 0)
                        r = su_key_choice_add(&choice, key, err);
        }
        return r < 0 ? r : su_compose_set_keys(root, su_role_name(role), &choice, err);
}

static int make_root(struct su_publisher *publisher, const struct su_publish_arguments *arguments,
                     struct su_error *err)
{
        su_auto_json json_t *root = NULL;
        int r;

        r = su_compose_root(1, &root, err);
        if (r >= 0)
                r = choose_keys(publisher, SU_ROLE_ROOT, &arguments->root_keys,
                                arguments->root_threshold, root, err);
        if (r >= 0)
                r = choose_keys(publisher, SU_ROLE_TARGETS, &arguments->targets_keys, 0, root, err);
        if (r >= 0)
                r = choose_keys(publisher, SU_ROLE_SNAPSHOT, NULL, 0, root, err);
        if (r >= 0)
                r = choose_keys(publisher, SU_ROLE_TIMESTAMP, NULL, 0, root, err);
        return r < 0 ? r : su_staging_put(publisher, "root", root, SU_SIGN_STRICT, err);
}

/* What is wrong is said before anything is made. */
static int check(const struct su_publish_arguments *arguments, struct su_error *err)
{
        const struct su_texts *const given[] = {&arguments->root_keys, &arguments->targets_keys};
        size_t n = arguments->root_keys.n ? arguments->root_keys.n : 1;

        if ((size_t)arguments->root_threshold > n)
                return su_fail(err, SU_ERROR_USAGE,
                               "%d root keys cannot sign when there are %zu: give more --root-key",
                               arguments->root_threshold, n);
        for (size_t i = 0; i < SU_ELEMENTS(given); i++)
                for (size_t j = 0; j < given[i]->n; j++) {
                        su_auto_key_file struct su_key_file file = {0};
                        int r = su_key_file_read(AT_FDCWD, given[i]->texts[j], &file, err);

                        if (r < 0)
                                return r;
                }
        return 0;
}

int su_verb_init(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_published struct su_published published = {0};
        int r;

        r = check(arguments, err);
        if (r >= 0)
                r = su_publisher_init(arguments, &publisher, err);
        if (r >= 0)
                r = su_staging_begin(&publisher.workspace, err);
        if (r >= 0)
                r = make_root(&publisher, arguments, err);
        if (r >= 0)
                r = su_waiting_finish(&publisher, false, &published, err);
        if (r < 0)
                return r;
        (void)printf("Made a %s in %s.\n"
                     "  keys/                         keep a copy of it in a safe place\n"
                     "  public/                       serve this with any web server\n"
                     "  public/metadata/1.root.json   ship this in the OS as "
                     "/etc/suture/root.json\n",
                     su_published_has(&published, "root") ? "repository" : "workspace",
                     publisher.workspace.path);
        return su_waiting_print(&publisher, err);
}
