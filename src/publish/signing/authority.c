#include "publish/signing/authority.h"

#include <string.h>

#include "trust/root.h"

void su_authority_done(struct su_authority *authority)
{
        su_trust_keys_done(&authority->keys);
        su_signers_done(&authority->signers);
}

void su_authorities_done(struct su_authorities *authorities)
{
        for (size_t i = 0; i < authorities->n; i++)
                su_authority_done(&authorities->each[i]);
        *authorities = (struct su_authorities){0};
}

static int take_from_root(const struct su_metadata *metadata, enum su_role role,
                          struct su_authority *ret, struct su_error *err)
{
        su_auto_root struct su_root root = {0};
        int r;

        r = su_root_read(metadata, &root, err);
        if (r < 0)
                return r;
        *ret = (struct su_authority){root.keys, root.signers[role], true};
        root.keys = (struct su_trust_keys){0};
        root.signers[role] = (struct su_signers){0};
        return 0;
}

static int take_from_targets(const struct su_metadata *metadata, const char *role,
                             struct su_authority *ret, struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        int r;

        r = su_delegations_read(metadata, &delegations, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < delegations.n_roles && !delegations.succinct; i++)
                if (strcmp(delegations.roles[i].name, role) == 0) {
                        *ret = (struct su_authority){delegations.keys, delegations.roles[i].signers,
                                                     true};
                        delegations.keys = (struct su_trust_keys){0};
                        delegations.roles[i].signers = (struct su_signers){0};
                        return 0;
                }
        return su_fail(err, SU_ERROR_NOT_FOUND, "there is no role '%s'", role);
}

int su_authority_read(const struct su_workspace *workspace, enum su_view view, const char *role,
                      struct su_authority *ret, struct su_error *err)
{
        bool is_top_level = strcmp(su_role_name(su_role_type(role)), role) == 0;
        su_auto_metadata struct su_metadata above = {0};
        int r;

        r = su_repository_metadata(workspace, view,
                                   su_role_name(is_top_level ? SU_ROLE_ROOT : SU_ROLE_TARGETS),
                                   &above, err);
        if (r < 0)
                return r;
        return is_top_level ? take_from_root(&above, su_role_type(role), ret, err)
                            : take_from_targets(&above, role, ret, err);
}

int su_authority_changes(const struct su_workspace *workspace, const char *role, bool *ret,
                         struct su_error *err)
{
        su_auto_authority struct su_authority before = {0};
        su_auto_authority struct su_authority after = {0};
        int r;

        r = su_authority_read(workspace, SU_NEWEST, role, &after, err);
        if (r < 0)
                return r;
        r = su_authority_read(workspace, SU_PUBLISHED, role, &before, err);
        if (r < 0 && r != -ENOENT)
                return r;
        *ret = r < 0 || !su_signers_equal(&before.signers, &after.signers);
        return 0;
}

/* The keys that the published root has for the role; nothing when there is none yet. */
static int add_former(const struct su_workspace *workspace, const char *role, bool required,
                      struct su_authorities *authorities, struct su_error *err)
{
        struct su_authority *former = &authorities->each[authorities->n];
        int r;

        r = su_authority_read(workspace, SU_PUBLISHED, role, former, err);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        former->required = required;
        authorities->n++;
        return 0;
}

int su_authorities_of(const struct su_workspace *workspace, const char *role,
                      const struct su_metadata *root, struct su_authorities *ret,
                      struct su_error *err)
{
        bool is_top_level = strcmp(su_role_name(su_role_type(role)), role) == 0;
        su_auto_authorities struct su_authorities authorities = {0};
        bool changes = false;
        int r;

        if (root)
                r = take_from_root(root, SU_ROLE_ROOT, &authorities.each[0], err);
        else
                r = su_authority_read(workspace, SU_NEWEST, role, &authorities.each[0], err);
        if (r < 0)
                return r;
        authorities.n = 1;
        if (root)
                r = add_former(workspace, role, true, &authorities, err);
        else if (is_top_level) {
                r = su_authority_changes(workspace, role, &changes, err);
                if (r >= 0 && changes)
                        r = add_former(workspace, role, false, &authorities, err);
        }
        if (r < 0)
                return r;
        *ret = authorities;
        authorities = (struct su_authorities){0};
        return 0;
}

int su_authority_count(const struct su_authority *authority, const struct su_metadata *metadata,
                       struct su_error *err)
{
        su_auto_free size_t *signed_by = calloc(authority->signers.n_ids + 1, sizeof *signed_by);

        if (!signed_by)
                return su_fail_oom(err);
        return su_metadata_signed_by(metadata, &authority->keys, &authority->signers, signed_by,
                                     err);
}

int su_authorities_are_met(const struct su_authorities *authorities,
                           const struct su_metadata *metadata, bool *ret, struct su_error *err)
{
        *ret = true;
        for (size_t i = 0; i < authorities->n; i++) {
                int count = su_authority_count(&authorities->each[i], metadata, err);

                if (count < 0)
                        return count;
                if (authorities->each[i].required &&
                    (size_t)count < authorities->each[i].signers.threshold)
                        *ret = false;
        }
        return 0;
}
