#include "trust/root.h"

static int read_signers(json_t *roles, struct su_root *root, struct su_error *err)
{
        for (enum su_role role = 0; role < SU_ROLES; role++) {
                json_t *object;
                int r;

                r = su_json_get_object(roles, su_role_name(role), &object, err);
                if (r >= 0)
                        r = su_signers_read(object, &root->signers[role], err);
                if (r < 0)
                        return su_fail_prefix(err, r, "role '%s'", su_role_name(role));
        }
        return 0;
}

static int read_consistent_snapshot(const json_t *signed_part, bool *ret, struct su_error *err)
{
        const json_t *value = json_object_get(signed_part, "consistent_snapshot");

        if (value && !json_is_boolean(value))
                return su_fail(err, SU_ERROR_FORMAT,
                               "field 'consistent_snapshot' is not a boolean");
        *ret = json_is_true(value);
        return 0;
}

int su_root_read(const struct su_metadata *metadata, struct su_root *ret, struct su_error *err)
{
        su_auto_root struct su_root root = {0};
        json_t *keys;
        json_t *roles;
        int r;

        r = read_consistent_snapshot(metadata->signed_part, &root.consistent_snapshot, err);
        if (r >= 0)
                r = su_json_get_object(metadata->signed_part, "keys", &keys, err);
        if (r >= 0)
                r = su_json_get_object(metadata->signed_part, "roles", &roles, err);
        if (r >= 0)
                r = su_trust_keys_read(keys, &root.keys, err);
        if (r >= 0)
                r = read_signers(roles, &root, err);
        if (r < 0)
                return su_fail_prefix(err, r, "root metadata");
        *ret = root;
        root = (struct su_root){0};
        return 0;
}

void su_root_done(struct su_root *root)
{
        su_trust_keys_done(&root->keys);
        for (enum su_role role = 0; role < SU_ROLES; role++)
                su_signers_done(&root->signers[role]);
        *root = (struct su_root){0};
}

int su_root_verify(const struct su_root *root, const struct su_metadata *metadata,
                   struct su_error *err)
{
        return su_metadata_verify(metadata, su_role_name(metadata->type), &root->keys,
                                  &root->signers[metadata->type], err);
}
