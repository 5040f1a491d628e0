#include "trust/delegations.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "trust/glob.h"

#define BIT_LENGTH_MAX 32

static int check_name(const char *name, struct su_error *err)
{
        if (name[0] == '\0' || strlen(name) > SU_ROLE_NAME_MAX)
                return su_fail(err, SU_ERROR_FORMAT,
                               "a delegated role's name has not 1 to %d bytes", SU_ROLE_NAME_MAX);
        for (enum su_role role = 0; role < SU_ROLES; role++)
                if (strcmp(name, su_role_name(role)) == 0)
                        return su_fail(err, SU_ERROR_FORMAT,
                                       "a delegated role has the name of a top-level one: '%s'",
                                       name);
        return 0;
}

static int check_strings(const json_t *array, struct su_error *err)
{
        json_t *text;
        size_t i;

        json_array_foreach (array, i, text)
                if (!json_is_string(text))
                        return su_fail(err, SU_ERROR_FORMAT, "a delegated path is not a string");
        return 0;
}

static int check_paths(const json_t *object, struct su_error *err)
{
        bool has_paths = json_object_get(object, "paths");
        json_t *array;
        int r;

        if (has_paths == (json_object_get(object, "path_hash_prefixes") != NULL))
                return su_fail(err, SU_ERROR_FORMAT,
                               "it has both or none of 'paths' and 'path_hash_prefixes'");
        r = su_json_get_array(object, has_paths ? "paths" : "path_hash_prefixes", &array, err);
        return r < 0 ? r : check_strings(array, err);
}

/* What an ordinary and a succinct role have in common. */
static int read_delegation(json_t *object, const char *name_field, struct su_delegation *ret,
                           struct su_error *err)
{
        const char *name;
        int r;

        r = su_json_get_string(object, name_field, &name, err);
        if (r >= 0)
                r = su_signers_read(object, &ret->signers, err);
        if (r >= 0)
                r = su_strdup(name, &ret->name, err);
        ret->object = object;
        return r;
}

static int read_role(json_t *object, struct su_delegation *ret, struct su_error *err)
{
        const json_t *terminating = json_object_get(object, "terminating");
        int r;

        r = read_delegation(object, "name", ret, err);
        if (r >= 0)
                r = check_name(ret->name, err);
        if (r >= 0 && !json_is_boolean(terminating))
                r = su_fail(err, SU_ERROR_FORMAT, "field 'terminating' is not a boolean");
        if (r >= 0)
                r = check_paths(object, err);
        ret->terminating = json_is_true(terminating);
        return r;
}

static int read_roles(json_t *roles, struct su_delegations *delegations, struct su_error *err)
{
        json_t *object;
        size_t i;

        if (json_array_size(roles) > SU_DELEGATED_ROLES_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "it delegates to more than %d roles",
                               SU_DELEGATED_ROLES_MAX);
        delegations->roles = calloc(json_array_size(roles) + 1, sizeof *delegations->roles);
        if (!delegations->roles)
                return su_fail_oom(err);
        json_array_foreach (roles, i, object) {
                struct su_delegation role = {0};
                int r;

                r = read_role(object, &role, err);
                if (r >= 0 && su_delegations_find(delegations, role.name))
                        r = su_fail(err, SU_ERROR_FORMAT, "it delegates to '%s' twice", role.name);
                delegations->roles[delegations->n_roles++] = role; /* also to be freed */
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_succinct(json_t *object, struct su_delegations *delegations, struct su_error *err)
{
        int64_t bit_length;
        int r;

        delegations->roles = calloc(1, sizeof *delegations->roles);
        if (!delegations->roles)
                return su_fail_oom(err);
        delegations->n_roles = 1;
        r = read_delegation(object, "name_prefix", &delegations->roles[0], err);
        if (r >= 0)
                r = check_name(delegations->roles[0].name, err);
        if (r >= 0)
                r = su_json_get_integer(object, "bit_length", 1, BIT_LENGTH_MAX, &bit_length, err);
        if (r < 0)
                return r;
        delegations->succinct = true;
        delegations->bit_length = (unsigned)bit_length;
        return 0;
}

static int read_any(json_t *object, struct su_delegations *delegations, struct su_error *err)
{
        json_t *roles = json_object_get(object, "roles");
        json_t *succinct = json_object_get(object, "succinct_roles");
        json_t *keys;
        int r;

        r = su_json_get_object(object, "keys", &keys, err);
        if (r >= 0)
                r = su_trust_keys_read(keys, &delegations->keys, err);
        if (r < 0)
                return r;
        if ((roles != NULL) == (succinct != NULL))
                return su_fail(err, SU_ERROR_FORMAT,
                               "it has both or none of 'roles' and 'succinct_roles'");
        if (roles)
                r = su_json_get_array(object, "roles", &roles, err);
        else
                r = su_json_get_object(object, "succinct_roles", &succinct, err);
        if (r < 0)
                return r;
        return roles ? read_roles(roles, delegations, err)
                     : read_succinct(succinct, delegations, err);
}

int su_delegations_read(const struct su_metadata *targets, struct su_delegations *ret,
                        struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        json_t *object;
        int r;

        r = su_json_find_object(targets->signed_part, "delegations", &object, err);
        if (r >= 0 && object)
                r = read_any(object, &delegations, err);
        if (r < 0)
                return su_fail_prefix(err, r, "delegations");
        *ret = delegations;
        delegations = (struct su_delegations){0};
        return 0;
}

void su_delegations_done(struct su_delegations *delegations)
{
        for (size_t i = 0; i < delegations->n_roles; i++) {
                free(delegations->roles[i].name);
                su_signers_done(&delegations->roles[i].signers);
        }
        free(delegations->roles);
        su_trust_keys_done(&delegations->keys);
        *delegations = (struct su_delegations){0};
}

static bool has_path(const struct su_delegation *role, const char *path,
                     const char path_hash[SU_SHA256_HEX_SIZE])
{
        const json_t *paths = json_object_get(role->object, "paths");
        const json_t *prefixes = json_object_get(role->object, "path_hash_prefixes");
        json_t *text;
        size_t i;

        json_array_foreach (paths, i, text)
                if (su_glob_match(json_string_value(text), path))
                        return true;
        json_array_foreach (prefixes, i, text)
                if (su_starts_with(path_hash, json_string_value(text)))
                        return true;
        return false;
}

/* TAP 15: the first bits of the path's hash are the bin's number, in as many digits as the largest
 * needs. */
static int bin_name(const struct su_delegations *delegations, const struct su_sha256 *hash,
                    char **ret, struct su_error *err)
{
        unsigned digits = (delegations->bit_length + 3) / 4;
        uint32_t bits = (uint32_t)hash->bytes[0] << 24 | (uint32_t)hash->bytes[1] << 16 |
                        (uint32_t)hash->bytes[2] << 8 | hash->bytes[3];

        return su_format(ret, err, "%s-%0*x", delegations->roles[0].name, (int)digits,
                         bits >> (32 - delegations->bit_length));
}

int su_delegations_next(const struct su_delegations *delegations, const char *path,
                        size_t *position, const struct su_delegation **ret, char **ret_name,
                        struct su_error *err)
{
        char path_hash[SU_SHA256_HEX_SIZE];
        struct su_sha256 hash;
        int r;

        r = su_sha256_of(path, strlen(path), &hash, err);
        if (r < 0)
                return r;
        su_hex_encode(hash.bytes, sizeof hash.bytes, path_hash);
        for (size_t i = *position; i < delegations->n_roles; i++) {
                const struct su_delegation *role = &delegations->roles[i];

                if (!delegations->succinct && !has_path(role, path, path_hash))
                        continue;
                r = delegations->succinct ? bin_name(delegations, &hash, ret_name, err)
                                          : su_strdup(role->name, ret_name, err);
                if (r < 0)
                        return r;
                *position = i + 1;
                *ret = role;
                return 1;
        }
        return 0;
}

const struct su_delegation *su_delegations_find(const struct su_delegations *delegations,
                                                const char *name)
{
        for (size_t i = 0; i < delegations->n_roles; i++)
                if (delegations->roles[i].name && strcmp(delegations->roles[i].name, name) == 0)
                        return &delegations->roles[i];
        return NULL;
}
