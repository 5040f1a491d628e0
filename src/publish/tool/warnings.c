#include "publish/tool/warnings.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "publish/signing/authority.h"
#include "publish/signing/compose.h"

#define SECONDS_PER_DAY 86400

static int warn(json_t *warnings, char *text, struct su_error *err)
{
        int r = json_array_append_new(warnings, json_string(text)) < 0 ? su_fail_oom(err) : 0;

        free(text);
        return r;
}

int su_warn_of_expiry(const json_t *found, json_t *warnings, struct su_error *err)
{
        json_t *entry;
        size_t i;

        json_array_foreach (json_object_get(found, "roles"), i, entry) {
                const char *role = json_string_value(json_object_get(entry, "role"));
                const char *text = json_string_value(json_object_get(entry, "expires"));
                int64_t expires = 0;
                int64_t left;
                char *warning;
                int r;

                if (!su_time_parse(text, &expires))
                        continue;
                left = expires - su_now();
                if (left >= su_role_seconds(su_role_type(role)) / 4)
                        continue;
                if (left <= 0)
                        r = su_format(&warning, err, "the metadata of %s expired at %s", role,
                                      text);
                else
                        r = su_format(&warning, err,
                                      "the metadata of %s expires in %lld days, at %s", role,
                                      (long long)(left / SECONDS_PER_DAY), text);
                if (r >= 0)
                        r = warn(warnings, warning, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int warn_of_number(const char *role, const struct su_authority *authority, json_t *warnings,
                          struct su_error *err)
{
        bool is_root = su_role_type(role) == SU_ROLE_ROOT;
        char *warning;
        int r = 0;

        if (is_root && authority->signers.n_ids == 1) {
                r = su_format(
                        &warning, err,
                        "there is a single root key: whoever steals it owns every device, and "
                        "if it is lost nothing can ever be replaced; have three, of which "
                        "two sign");
                return r < 0 ? r : warn(warnings, warning, err);
        }
        if (authority->signers.n_ids > 1 && authority->signers.threshold == 1) {
                r = su_format(&warning, err,
                              "any one of the %zu keys of %s is enough: each more is one more to "
                              "be stolen",
                              authority->signers.n_ids, role);
                return r < 0 ? r : warn(warnings, warning, err);
        }
        return 0;
}

/* Snapshot and timestamp are signed by a timer: their keys need not have a passphrase. */
static int warn_of_place(const char *role, const struct su_key *key, json_t *warnings,
                         struct su_error *err)
{
        enum su_role type = su_role_type(role);
        char *warning;
        int r;

        if (!key || key->place != SU_KEY_HERE)
                return 0;
        if (type == SU_ROLE_ROOT) {
                r = su_format(&warning, err,
                              "the private root key '%s' is on this machine: keep it on one that "
                              "has no network",
                              key->file.name);
                if (r >= 0)
                        r = warn(warnings, warning, err);
                if (r < 0)
                        return r;
        }
        if (key->encrypted || type == SU_ROLE_SNAPSHOT || type == SU_ROLE_TIMESTAMP)
                return 0;
        r = su_format(&warning, err, "the private key '%s' of %s is not encrypted", key->file.name,
                      role);
        return r < 0 ? r : warn(warnings, warning, err);
}

static int warn_of_role(const struct su_publisher *publisher, const char *role, json_t *warnings,
                        struct su_error *err)
{
        su_auto_authority struct su_authority authority = {0};
        int r;

        r = su_authority_read(&publisher->workspace, SU_PUBLISHED, role, &authority, err);
        if (r >= 0)
                r = warn_of_number(role, &authority, warnings, err);
        for (size_t i = 0; i < authority.signers.n_ids && r >= 0; i++)
                r = warn_of_place(role,
                                  su_keyring_find(&publisher->keyring, &authority.signers.ids[i]),
                                  warnings, err);
        return r;
}

int su_warn_of_keys(const struct su_publisher *publisher, json_t *warnings, struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        su_auto_metadata struct su_metadata targets = {0};
        int r = 0;

        for (enum su_role role = 0; role < SU_ROLES && r >= 0; role++)
                r = warn_of_role(publisher, su_role_name(role), warnings, err);
        if (r >= 0)
                r = su_repository_metadata(&publisher->workspace, SU_PUBLISHED, "targets", &targets,
                                           err);
        if (r >= 0)
                r = su_delegations_read(&targets, &delegations, err);
        for (size_t i = 0; i < delegations.n_roles && r >= 0; i++)
                r = warn_of_role(publisher, delegations.roles[i].name, warnings, err);
        return r;
}
