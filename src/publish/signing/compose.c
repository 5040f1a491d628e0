#include "publish/signing/compose.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define SPEC_VERSION "1.0.34"
#define SECONDS_PER_DAY 86400

int64_t su_role_seconds(enum su_role role)
{
        static const int days[SU_ROLES] = {
                [SU_ROLE_ROOT] = SU_ROOT_DAYS,
                [SU_ROLE_TIMESTAMP] = SU_TIMESTAMP_DAYS,
                [SU_ROLE_SNAPSHOT] = SU_SNAPSHOT_DAYS,
                [SU_ROLE_TARGETS] = SU_TARGETS_DAYS,
        };

        return (int64_t)days[role] * SECONDS_PER_DAY;
}

int su_compose_head(enum su_role role, int64_t version, json_t **ret, struct su_error *err)
{
        char expires[SU_TIME_TEXT_SIZE];

        su_time_format(su_now() + su_role_seconds(role), expires);
        *ret = json_pack("{s:s, s:s, s:I, s:s}", "_type", su_role_name(role), "spec_version",
                         SPEC_VERSION, "version", (json_int_t)version, "expires", expires);
        return *ret ? 0 : su_fail_oom(err);
}

int su_compose_again(enum su_role role, const json_t *signed_part, int64_t version, json_t **ret,
                     struct su_error *err)
{
        su_auto_json json_t *again = json_deep_copy(signed_part);
        su_auto_json json_t *head = NULL;
        int r;

        r = su_compose_head(role, version, &head, err);
        if (r < 0)
                return r;
        if (json_object_update(again, head) < 0)
                return su_fail_oom(err);
        *ret = su_take(again);
        return 0;
}

static int add_objects(json_t *signed_part, const char *a, const char *b, struct su_error *err)
{
        if (json_object_set_new(signed_part, a, json_object()) < 0 ||
            (b && json_object_set_new(signed_part, b, json_object()) < 0))
                return su_fail_oom(err);
        return 0;
}

int su_compose_root(int64_t version, json_t **ret, struct su_error *err)
{
        su_auto_json json_t *root = NULL;
        int r;

        r = su_compose_head(SU_ROLE_ROOT, version, &root, err);
        if (r >= 0)
                r = add_objects(root, "keys", "roles", err);
        if (r < 0)
                return r;
        if (json_object_set_new(root, "consistent_snapshot", json_true()) < 0)
                return su_fail_oom(err);
        *ret = su_take(root);
        return 0;
}

int su_compose_targets(int64_t version, json_t **ret, struct su_error *err)
{
        su_auto_json json_t *targets = NULL;
        int r;

        r = su_compose_head(SU_ROLE_TARGETS, version, &targets, err);
        if (r >= 0)
                r = add_objects(targets, "targets", NULL, err);
        if (r < 0)
                return r;
        *ret = su_take(targets);
        return 0;
}

int su_key_choice_add(struct su_key_choice *choice, struct su_key *key, struct su_error *err)
{
        struct su_key **larger;

        for (size_t i = 0; i < choice->n; i++)
                if (choice->keys[i] == key)
                        return su_fail(err, SU_ERROR_USAGE, "the key '%s' is given twice",
                                       key->file.name);
        larger = reallocarray(choice->keys, choice->n + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        larger[choice->n++] = key;
        choice->keys = larger;
        return 0;
}

void su_key_choice_done(struct su_key_choice *choice)
{
        free(choice->keys);
        *choice = (struct su_key_choice){0};
}

static bool names_key(const json_t *role, const char *id)
{
        json_t *entry;
        size_t i;

        json_array_foreach (json_object_get(role, "keyids"), i, entry)
                if (strcmp(json_string_value(entry), id) == 0)
                        return true;
        return false;
}

/* `roles` is root's object or a delegation's array. */
static bool is_used(json_t *roles, const char *id)
{
        const char *name;
        json_t *role;
        size_t i;

        json_object_foreach (roles, name, role)
                if (names_key(role, id))
                        return true;
        json_array_foreach (roles, i, role)
                if (names_key(role, id))
                        return true;
        return false;
}

/* A key that no role has is no business of any device. */
static void prune(json_t *keys, json_t *roles)
{
        const char *id;
        json_t *key;
        void *next;

        json_object_foreach_safe(keys, next, id, key) if (!is_used(roles, id))(void)
                json_object_del(keys, id);
}

/* Fill in "keyids" and "threshold" of a role's object, and add to "keys". */
static int set_choice(json_t *keys, json_t *role, const struct su_key_choice *choice,
                      struct su_error *err)
{
        su_auto_json json_t *ids = json_array();

        if (choice->threshold < 1 || choice->threshold > choice->n)
                return su_fail(err, SU_ERROR_USAGE, "a threshold of %zu does not go with %zu keys",
                               choice->threshold, choice->n);
        for (size_t i = 0; i < choice->n; i++) {
                char hex[SU_SHA256_HEX_SIZE];

                su_hex_encode(choice->keys[i]->file.id.bytes, SU_SHA256_SIZE, hex);
                if (json_array_append_new(ids, json_string(hex)) < 0 ||
                    json_object_set(keys, hex, choice->keys[i]->file.object) < 0)
                        return su_fail_oom(err);
        }
        if (json_object_set(role, "keyids", ids) < 0 ||
            json_object_set_new(role, "threshold", json_integer((json_int_t)choice->threshold)) < 0)
                return su_fail_oom(err);
        return 0;
}

int su_compose_set_keys(json_t *root, const char *role, const struct su_key_choice *choice,
                        struct su_error *err)
{
        su_auto_json json_t *object = json_object();
        json_t *keys;
        json_t *roles;
        int r;

        r = su_json_get_object(root, "keys", &keys, err);
        if (r >= 0)
                r = su_json_get_object(root, "roles", &roles, err);
        if (r >= 0)
                r = set_choice(keys, object, choice, err);
        if (r < 0)
                return r;
        if (json_object_set(roles, role, object) < 0)
                return su_fail_oom(err);
        prune(keys, roles);
        return 0;
}

/* The array of delegated roles and the keys, made when there are none yet. */
static int get_delegations(json_t *targets, json_t **ret_keys, json_t **ret_roles,
                           struct su_error *err)
{
        json_t *delegations = json_object_get(targets, "delegations");
        int r;

        if (!delegations) {
                delegations = json_pack("{s:{}, s:[]}", "keys", "roles");
                if (json_object_set_new(targets, "delegations", delegations) < 0)
                        return su_fail_oom(err);
        }
        r = su_json_get_object(delegations, "keys", ret_keys, err);
        return r < 0 ? r : su_json_get_array(delegations, "roles", ret_roles, err);
}

static json_t *find_delegation(const json_t *roles, const char *name)
{
        json_t *role;
        size_t i;

        json_array_foreach (roles, i, role) {
                const char *its = json_string_value(json_object_get(role, "name"));

                if (its && strcmp(its, name) == 0)
                        return role;
        }
        return NULL;
}

int su_compose_delegate(json_t *targets, const char *baseline, const struct su_key_choice *choice,
                        struct su_error *err)
{
        su_auto_free char *below = NULL;
        su_auto_free char *deeper = NULL;
        json_t *keys;
        json_t *roles;
        json_t *role;
        int r;

        r = get_delegations(targets, &keys, &roles, err);
        if (r >= 0)
                r = su_format(&below, err, "%s/*", baseline);
        if (r >= 0)
                r = su_format(&deeper, err, "%s/*/*", baseline);
        if (r < 0)
                return r;
        role = find_delegation(roles, baseline);
        if (!role) {
                role = json_pack("{s:s, s:b, s:[s, s]}", "name", baseline, "terminating", 1,
                                 "paths", below, deeper);
                if (json_array_append_new(roles, role) < 0)
                        return su_fail_oom(err);
        }
        r = set_choice(keys, role, choice, err);
        if (r >= 0)
                prune(keys, roles);
        return r;
}

static json_t *find_role(json_t *signed_part, const char *name, json_t **ret_keys,
                         json_t **ret_roles)
{
        json_t *holder = json_object_get(signed_part, "delegations");

        if (!holder)
                holder = signed_part;
        *ret_keys = json_object_get(holder, "keys");
        *ret_roles = json_object_get(holder, "roles");
        return json_is_array(*ret_roles) ? find_delegation(*ret_roles, name)
                                         : json_object_get(*ret_roles, name);
}

int su_compose_remove_key(json_t *signed_part, const char *role, const struct su_sha256 *id,
                          bool *ret_had, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        json_t *keys;
        json_t *roles;
        json_t *object = find_role(signed_part, role, &keys, &roles);
        json_t *ids = json_object_get(object, "keyids");
        int64_t threshold;
        int r;

        su_hex_encode(id->bytes, sizeof id->bytes, hex);
        *ret_had = names_key(object, hex);
        if (!*ret_had)
                return 0;
        r = su_json_get_integer(object, "threshold", 1, INT64_MAX, &threshold, err);
        if (r < 0)
                return r;
        if ((int64_t)json_array_size(ids) - 1 < threshold)
                return su_fail(err, SU_ERROR_CONFLICT,
                               "role '%s' would have %zu keys left, and %lld must sign: give it "
                               "others with 'key rotate %s'",
                               role, json_array_size(ids) - 1, (long long)threshold, role);
        for (size_t i = json_array_size(ids); i > 0; i--)
                if (strcmp(json_string_value(json_array_get(ids, i - 1)), hex) == 0)
                        (void)json_array_remove(ids, i - 1);
        prune(keys, roles);
        return 0;
}
