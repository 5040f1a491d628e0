/* suture-publish key list: who signs for what, and where the keys are. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "publish/signing/authority.h"
#include "publish/signing/publisher.h"
#include "publish/tool/print.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"

#define ID_SHOWN 16

static const char *place_name(const struct su_key *key)
{
        if (!key || key->place == SU_KEY_ELSEWHERE)
                return "elsewhere";
        return key->place == SU_KEY_HERE ? "here" : "token";
}

static json_t *describe_key(const struct su_key *key, const struct su_sha256 *id)
{
        char hex[SU_SHA256_HEX_SIZE];

        su_hex_encode(id->bytes, sizeof id->bytes, hex);
        return json_pack("{s:s?, s:s, s:s, s:b, s:s?, s:s?}", "name", key ? key->file.name : NULL,
                         "keyid", hex, "private", place_name(key), "encrypted",
                         key && key->encrypted, "created", key ? key->file.created : NULL, "scheme",
                         key ? json_string_value(json_object_get(key->file.object, "scheme"))
                             : NULL);
}

static int describe_role(const struct su_publisher *publisher, const char *role, bool *used,
                         json_t *roles, struct su_error *err)
{
        su_auto_authority struct su_authority authority = {0};
        su_auto_metadata struct su_metadata metadata = {0};
        su_auto_json json_t *keys = json_array();
        const char *expires = NULL;
        int r;

        r = su_authority_read(&publisher->workspace, SU_NEWEST, role, &authority, err);
        if (r < 0)
                return r;
        if (su_repository_metadata(&publisher->workspace, SU_PUBLISHED, role, &metadata, NULL) >= 0)
                expires = json_string_value(json_object_get(metadata.signed_part, "expires"));
        for (size_t i = 0; i < authority.signers.n_ids; i++) {
                const struct su_sha256 *id = &authority.signers.ids[i];

                if (json_array_append_new(
                            keys, describe_key(su_keyring_find(&publisher->keyring, id), id)) < 0)
                        return su_fail_oom(err);
                for (size_t j = 0; j < publisher->keyring.n_keys; j++)
                        used[j] |= su_sha256_equal(&publisher->keyring.keys[j]->file.id, id);
        }
        if (json_array_append_new(roles,
                                  json_pack("{s:s, s:I, s:s?, s:O}", "role", role, "threshold",
                                            (json_int_t)authority.signers.threshold, "expires",
                                            expires, "keys", keys)) < 0)
                return su_fail_oom(err);
        return 0;
}

static int describe_baselines(const struct su_publisher *publisher, bool *used, json_t *roles,
                              struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        su_auto_metadata struct su_metadata targets = {0};
        int r;

        r = su_repository_metadata(&publisher->workspace, SU_NEWEST, "targets", &targets, err);
        if (r >= 0)
                r = su_delegations_read(&targets, &delegations, err);
        for (size_t i = 0; i < delegations.n_roles && r >= 0; i++)
                r = describe_role(publisher, delegations.roles[i].name, used, roles, err);
        return r;
}

static int describe(const struct su_publisher *publisher, json_t **ret, struct su_error *err)
{
        static const char *const top_level[] = {"root", "targets", "snapshot", "timestamp"};
        const struct su_keyring *keyring = &publisher->keyring;
        su_auto_free bool *used = calloc(keyring->n_keys + 1, sizeof *used);
        su_auto_json json_t *roles = json_array();
        su_auto_json json_t *unused = json_array();
        int r = 0;

        if (!used)
                return su_fail_oom(err);
        for (size_t i = 0; i < SU_ELEMENTS(top_level) && r >= 0; i++)
                r = describe_role(publisher, top_level[i], used, roles, err);
        if (r >= 0)
                r = describe_baselines(publisher, used, roles, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < keyring->n_keys; i++)
                if (!used[i] &&
                    json_array_append_new(
                            unused, describe_key(keyring->keys[i], &keyring->keys[i]->file.id)) < 0)
                        return su_fail_oom(err);
        *ret = json_pack("{s:O, s:O}", "roles", roles, "unused", unused);
        return *ret ? 0 : su_fail_oom(err);
}

static void print_key(const json_t *key)
{
        const char *name = json_string_value(json_object_get(key, "name"));
        const char *where = json_string_value(json_object_get(key, "private"));
        bool is_here = strcmp(where, "here") == 0;

        (void)printf("    %-20s %.*s  %s%s\n", name ? name : "(no public file)", ID_SHOWN,
                     json_string_value(json_object_get(key, "keyid")),
                     strcmp(where, "token") == 0 ? "in a token" : where,
                     !is_here                                          ? ""
                     : json_is_true(json_object_get(key, "encrypted")) ? ", encrypted"
                                                                       : ", not encrypted");
}

static void print(const json_t *document)
{
        const json_t *unused = json_object_get(document, "unused");
        json_t *role;
        json_t *key;
        size_t i;
        size_t j;

        json_array_foreach (json_object_get(document, "roles"), i, role) {
                const json_t *keys = json_object_get(role, "keys");
                const char *expires = json_string_value(json_object_get(role, "expires"));

                (void)printf("%s: any %lld of %zu, %s%s\n",
                             json_string_value(json_object_get(role, "role")),
                             (long long)json_integer_value(json_object_get(role, "threshold")),
                             json_array_size(keys), expires ? "expires " : "not published yet",
                             expires ? expires : "");
                json_array_foreach (keys, j, key)
                        print_key(key);
        }
        if (json_array_size(unused) > 0)
                (void)puts("Used by no role:");
        json_array_foreach (unused, i, key)
                print_key(key);
}

int su_verb_key_list(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_json json_t *document = NULL;
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_READ, &publisher, err);
        if (r >= 0)
                r = describe(&publisher, &document, err);
        if (r < 0)
                return r;
        if (!arguments->json) {
                print(document);
                return 0;
        }
        return su_print_json(document, err);
}
