/* suture-publish key rotate, key revoke: other keys for a role, and a key that no role may have. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "publish/keys/keytype.h"
#include "publish/signing/compose.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"
#include "publish/tool/waiting.h"

static bool is_top_level(const char *role)
{
        return strcmp(su_role_name(su_role_type(role)), role) == 0;
}

/* The metadata that says which keys the role has. */
static const char *above(const char *role)
{
        return is_top_level(role) ? "root" : "targets";
}

static int choose_given(struct su_publisher *publisher,
                        const struct su_publish_arguments *arguments, struct su_key_choice *choice,
                        struct su_error *err)
{
        for (size_t i = 1; i < arguments->n_operands; i++) {
                struct su_key *key;
                int r;

                r = su_keyring_add_public(&publisher->keyring, arguments->operands[i], &key, err);
                if (r >= 0)
                        r = su_key_choice_add(choice, key, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The one key of the role that a fresh one takes the place of: its only key, or the only one whose
 * private part is here. */
static int find_replaced(const struct su_publisher *publisher, const char *role,
                         const struct su_authority *present, size_t *ret, struct su_error *err)
{
        size_t n_here = 0;

        *ret = 0;
        if (present->signers.n_ids == 1)
                return 0;
        for (size_t i = 0; i < present->signers.n_ids; i++) {
                const struct su_key *key =
                        su_keyring_find(&publisher->keyring, &present->signers.ids[i]);

                if (!key || key->place == SU_KEY_ELSEWHERE)
                        continue;
                n_here++;
                *ret = i;
        }
        if (n_here != 1)
                return su_fail(err, SU_ERROR_USAGE,
                               "role '%s' has %zu keys, and %zu of them are here: give the public "
                               "keys that it is to have",
                               role, present->signers.n_ids, n_here);
        return 0;
}

static int choose_fresh(struct su_publisher *publisher,
                        const struct su_publish_arguments *arguments,
                        const struct su_authority *present, struct su_key_choice *choice,
                        struct su_error *err)
{
        const char *role = arguments->operands[0];
        bool is_online = strcmp(role, "snapshot") == 0 || strcmp(role, "timestamp") == 0;
        su_auto_free char *name = NULL;
        enum su_key_type type;
        struct su_key *fresh;
        size_t replaced;
        int r;

        r = su_key_type_parse(arguments->type, &type, err);
        if (r >= 0)
                r = find_replaced(publisher, role, present, &replaced, err);
        if (r >= 0)
                r = su_keyring_free_name(&publisher->keyring, role, &name, err);
        if (r >= 0)
                r = su_keyring_make(&publisher->keyring, name, type, !is_online, &fresh, err);
        for (size_t i = 0; i < present->signers.n_ids && r >= 0; i++) {
                struct su_key *key = i == replaced ? fresh
                                                   : su_keyring_find(&publisher->keyring,
                                                                     &present->signers.ids[i]);

                r = key ? su_key_choice_add(choice, key, err)
                        : su_fail(err, SU_ERROR_NOT_FOUND,
                                  "the public file of one of the role's keys is not here: give "
                                  "all that the role is to have");
        }
        return r;
}

/* Nothing could be published any more without the keys of these two. */
static int check_online(const struct su_publisher *publisher, const char *role,
                        const struct su_key_choice *choice, struct su_error *err)
{
        size_t n = 0;

        if (strcmp(role, "snapshot") != 0 && strcmp(role, "timestamp") != 0)
                return 0;
        for (size_t i = 0; i < choice->n; i++)
                n += su_key_is_usable(&publisher->keyring, choice->keys[i]);
        if (n < choice->threshold)
                return su_fail(err, SU_ERROR_CONFIG,
                               "the private keys of '%s' must be here: every release is signed "
                               "with them",
                               role);
        return 0;
}

static int stage(struct su_publisher *publisher, const char *role,
                 const struct su_key_choice *choice, struct su_error *err)
{
        su_auto_json json_t *signed_part = NULL;
        int r;

        r = su_staging_next(&publisher->workspace, above(role), &signed_part, err);
        if (r < 0)
                return r;
        r = is_top_level(role) ? su_compose_set_keys(signed_part, role, choice, err)
                               : su_compose_delegate(signed_part, role, choice, err);
        return r < 0 ? r : su_staging_put(publisher, above(role), signed_part, SU_SIGN_STRICT, err);
}

int su_verb_key_rotate(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_published struct su_published published = {0};
        su_auto_authority struct su_authority present = {0};
        su_auto_key_choice struct su_key_choice choice = {0};
        const char *role = arguments->operands[0];
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r >= 0)
                r = su_authority_read(&publisher.workspace, SU_NEWEST, role, &present, err);
        if (r < 0)
                return r;
        choice.threshold =
                arguments->threshold ? (size_t)arguments->threshold : present.signers.threshold;
        r = su_staging_begin(&publisher.workspace, err);
        if (r >= 0)
                r = arguments->n_operands > 1
                            ? choose_given(&publisher, arguments, &choice, err)
                            : choose_fresh(&publisher, arguments, &present, &choice, err);
        if (r >= 0)
                r = check_online(&publisher, role, &choice, err);
        if (r >= 0)
                r = stage(&publisher, role, &choice, err);
        if (r >= 0)
                r = su_waiting_finish(&publisher, false, &published, err);
        if (r < 0)
                return r;
        (void)printf("Role %s: any %zu of", role, choice.threshold);
        for (size_t i = 0; i < choice.n; i++)
                (void)printf("%s %s", i ? "," : "", choice.keys[i]->file.name);
        (void)puts(su_published_has(&published, above(role)) ? "." : ", once that is signed.");
        return su_waiting_report(&publisher, &published, err);
}

/* Take the key from those of `roles` that have it; stage what says so. */
static int remove_from(struct su_publisher *publisher, const char *holder, const char *const *roles,
                       size_t n_roles, const struct su_key *key, size_t *n_had,
                       struct su_error *err)
{
        su_auto_json json_t *signed_part = NULL;
        bool any = false;
        int r;

        r = su_staging_next(&publisher->workspace, holder, &signed_part, err);
        for (size_t i = 0; i < n_roles && r >= 0; i++) {
                bool had = false;

                r = su_compose_remove_key(signed_part, roles[i], &key->file.id, &had, err);
                any |= had;
                *n_had += had;
                if (had && r >= 0)
                        (void)printf("Role %s has '%s' no more.\n", roles[i], key->file.name);
        }
        if (r < 0 || !any)
                return r;
        return su_staging_put(publisher, holder, signed_part, SU_SIGN_STRICT, err);
}

static int remove_from_baselines(struct su_publisher *publisher, const struct su_key *key,
                                 size_t *n_had, struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        su_auto_metadata struct su_metadata targets = {0};
        su_auto_free const char **names = NULL;
        int r;

        r = su_repository_metadata(&publisher->workspace, SU_NEWEST, "targets", &targets, err);
        if (r >= 0)
                r = su_delegations_read(&targets, &delegations, err);
        if (r < 0)
                return r;
        names = calloc(delegations.n_roles + 1, sizeof *names);
        if (!names)
                return su_fail_oom(err);
        for (size_t i = 0; i < delegations.n_roles; i++)
                names[i] = delegations.roles[i].name;
        return remove_from(publisher, "targets", names, delegations.n_roles, key, n_had, err);
}

int su_verb_key_revoke(const struct su_publish_arguments *arguments, struct su_error *err)
{
        const char *const top_level[] = {"root", "targets", "snapshot", "timestamp"};
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_published struct su_published published = {0};
        const char *name = arguments->operands[0];
        const struct su_key *key;
        size_t n_had = 0;
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r < 0)
                return r;
        key = su_keyring_named(&publisher.keyring, name);
        if (!key)
                return su_fail(err, SU_ERROR_NOT_FOUND, "there is no key '%s'", name);
        r = su_staging_begin(&publisher.workspace, err);
        if (r >= 0)
                r = remove_from(&publisher, "root", top_level, SU_ELEMENTS(top_level), key, &n_had,
                                err);
        if (r >= 0)
                r = remove_from_baselines(&publisher, key, &n_had, err);
        if (r >= 0 && n_had == 0)
                r = su_fail(err, SU_ERROR_CONFLICT, "no role has the key '%s'", name);
        if (r >= 0)
                r = su_waiting_finish(&publisher, false, &published, err);
        return r < 0 ? r : su_waiting_report(&publisher, &published, err);
}
