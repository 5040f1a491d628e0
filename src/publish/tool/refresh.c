/* suture-publish refresh: sign anew before it expires. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "publish/signing/compose.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"
#include "publish/tool/waiting.h"

/* Whether enough of a role's keys can be used here and now. */
static int can_sign(const struct su_publisher *publisher, const char *role, bool *ret,
                    struct su_error *err)
{
        su_auto_authority struct su_authority authority = {0};
        size_t n = 0;
        int r;

        r = su_authority_read(&publisher->workspace, SU_NEWEST, role, &authority, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < authority.signers.n_ids; i++) {
                const struct su_key *key =
                        su_keyring_find(&publisher->keyring, &authority.signers.ids[i]);

                n += key && su_key_is_usable(&publisher->keyring, key);
        }
        *ret = n >= authority.signers.threshold;
        return 0;
}

static int renew(struct su_publisher *publisher, const char *role, enum su_signing how,
                 struct su_error *err)
{
        su_auto_json json_t *next = NULL;
        int r;

        r = su_staging_next(&publisher->workspace, role, &next, err);
        if (r >= 0 && !next)
                r = su_fail(err, SU_ERROR_NOT_FOUND, "there is no role '%s'", role);
        return r < 0 ? r : su_staging_put(publisher, role, next, how, err);
}

/* The role that was named on the command line, whoever has its keys. */
static int renew_named(struct su_publisher *publisher, const char *role, struct su_error *err)
{
        enum su_role type = su_role_type(role);

        if (type == SU_ROLE_SNAPSHOT || type == SU_ROLE_TIMESTAMP)
                return 0; /* they always are */
        return renew(publisher, role, SU_SIGN_STRICT, err);
}

/* Only what has lived for half of its time, and nothing that waits already. */
static int renew_if_old(struct su_publisher *publisher, const char *role, struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        int64_t left;
        bool can = false;
        int r;

        r = su_repository_staged(&publisher->workspace, role, &metadata, err);
        if (r >= 0)
                return 0;
        r = su_repository_metadata(&publisher->workspace, SU_PUBLISHED, role, &metadata, err);
        if (r < 0)
                return r;
        left = metadata.expires - su_now();
        if (left >= su_role_seconds(metadata.type) / 2)
                return 0;
        if (metadata.type != SU_ROLE_ROOT)
                r = can_sign(publisher, role, &can, err);
        if (r >= 0 && can)
                return renew(publisher, role, SU_SIGN_WHAT_CAN_BE, err);
        if (r >= 0 && left < su_role_seconds(metadata.type) / 4)
                (void)printf("The metadata of %s expires at %s: run 'suture-publish refresh %s', "
                             "and let its keys sign.\n",
                             role,
                             json_string_value(json_object_get(metadata.signed_part, "expires")),
                             role);
        return r;
}

static int renew_old(struct su_publisher *publisher, struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        su_auto_metadata struct su_metadata targets = {0};
        int r;

        r = su_repository_metadata(&publisher->workspace, SU_PUBLISHED, "targets", &targets, err);
        if (r >= 0)
                r = su_delegations_read(&targets, &delegations, err);
        if (r >= 0)
                r = renew_if_old(publisher, "root", err);
        if (r >= 0)
                r = renew_if_old(publisher, "targets", err);
        for (size_t i = 0; i < delegations.n_roles && r >= 0; i++)
                r = renew_if_old(publisher, delegations.roles[i].name, err);
        return r;
}

static int check_published(const struct su_workspace *workspace, struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        int r;

        r = su_repository_metadata(workspace, SU_PUBLISHED, "timestamp", &metadata, err);
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_NOT_FOUND,
                               "nothing is published yet: 'suture-publish sign' says what is "
                               "waited for");
        return r;
}

int su_verb_refresh(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_published struct su_published published = {0};
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r >= 0)
                r = check_published(&publisher.workspace, err);
        if (r >= 0)
                r = su_staging_begin(&publisher.workspace, err);
        for (size_t i = 0; i < arguments->n_operands && r >= 0; i++)
                r = renew_named(&publisher, arguments->operands[i], err);
        if (r >= 0)
                r = renew_old(&publisher, err);
        if (r >= 0)
                r = su_waiting_finish(&publisher, true, &published, err);
        if (r < 0)
                return r;
        (void)printf("Signed anew; devices accept this repository for %d days, as far as other "
                     "roles do not expire before.\n",
                     SU_TIMESTAMP_DAYS);
        return su_waiting_report(&publisher, &published, err);
}
