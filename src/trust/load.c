/* A role's metadata: from the cache, or from the repository into the cache. */
#include <string.h>

#include "base/text.h"
#include "trust/cache.h"
#include "trust/delegations.h"
#include "trust/session.h"

static const size_t role_size_max[SU_ROLES] = {
        [SU_ROLE_ROOT] = SU_ROOT_SIZE_MAX,
        [SU_ROLE_TIMESTAMP] = SU_TIMESTAMP_SIZE_MAX,
        [SU_ROLE_SNAPSHOT] = SU_SNAPSHOT_SIZE_MAX,
        [SU_ROLE_TARGETS] = SU_TARGETS_SIZE_MAX,
};

int su_check_expiry(const struct su_metadata *metadata, const char *name, int64_t now,
                    struct su_error *err)
{
        if (metadata->expires > now)
                return 0;
        return su_fail(err, SU_ERROR_EXPIRED, "%s metadata expired: %s", name,
                       json_string_value(json_object_get(metadata->signed_part, "expires")));
}

/* What a role's metadata must have beyond its head. */
static int check_content(const struct su_metadata *metadata, const char *name, struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        json_t *targets;
        int r;

        switch (metadata->type) {
        case SU_ROLE_TIMESTAMP:
                return su_meta_check_all(metadata, "snapshot.json", err);
        case SU_ROLE_SNAPSHOT:
                return su_meta_check_all(metadata, "targets.json", err);
        default:
                r = su_json_get_object(metadata->signed_part, "targets", &targets, err);
                if (r >= 0)
                        r = su_delegations_read(metadata, &delegations, err);
                return r < 0 ? su_fail_prefix(err, r, "%s metadata", name) : 0;
        }
}

int su_role_parse(enum su_role type, const struct su_role_trust *role, const char *text,
                  size_t size, struct su_metadata *ret, struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        int r;

        r = su_metadata_parse(type, role->name, text, size, &metadata, err);
        if (r >= 0)
                r = su_metadata_verify(&metadata, role->name, role->keys, role->signers, err);
        if (r >= 0)
                r = check_content(&metadata, role->name, err);
        if (r < 0)
                return r;
        *ret = metadata;
        metadata = (struct su_metadata){0};
        return 0;
}

void su_stored_done(struct su_stored *stored)
{
        su_metadata_done(&stored->metadata);
        free(stored->text);
}

int su_stored_load(const struct su_trust *trust, enum su_role type,
                   const struct su_role_trust *role, struct su_stored *ret, struct su_error *err)
{
        int r;

        r = su_cache_read(trust->metadata_fd, role->name, role_size_max[type], &ret->text,
                          &ret->size, err);
        if (r == -ENOENT || r == -EFBIG)
                return 0;
        if (r < 0)
                return r;
        r = su_role_parse(type, role, ret->text, ret->size, &ret->metadata, err);
        return r == -ENOMEM ? r : 0;
}

bool su_metadata_is_fresh(const struct su_metadata *metadata, int64_t now)
{
        return metadata->document && metadata->expires > now;
}

bool su_stored_is(const struct su_stored *stored, const struct su_meta_entry *entry, int64_t now)
{
        return su_metadata_is_fresh(&stored->metadata, now) &&
               stored->metadata.version == entry->version &&
               su_meta_entry_check(entry, "", stored->text, stored->size, NULL) >= 0;
}

static int metadata_name(const struct su_trust *trust, const char *role, int64_t version,
                         char **ret, struct su_error *err)
{
        su_auto_free char *encoded = NULL;
        int r;

        r = su_percent_encode(role, "", &encoded, err);
        if (r < 0)
                return r;
        if (!trust->root.consistent_snapshot)
                return su_format(ret, err, "%s.json", encoded);
        return su_format(ret, err, "%lld.%s.json", (long long)version, encoded);
}

static int size_allowed(enum su_role type, const struct su_meta_entry *entry, const char *name,
                        size_t *ret, struct su_error *err)
{
        *ret = role_size_max[type];
        if (!entry->has_length)
                return 0;
        if ((uint64_t)entry->length > role_size_max[type])
                return su_fail(err, SU_ERROR_TOO_LARGE, "'%s' is declared too large", name);
        *ret = (size_t)entry->length;
        return 0;
}

static int fetch_listed(struct su_trust *trust, enum su_role type, const struct su_role_trust *role,
                        const struct su_meta_entry *entry, char **ret_text, size_t *ret_size,
                        struct su_metadata *ret, struct su_error *err)
{
        const struct su_transport *transport = &trust->transport;
        su_auto_free char *name = NULL;
        su_auto_free char *path = NULL; /* for messages */
        size_t max = 0;
        int r;

        r = metadata_name(trust, role->name, entry->version, &name, err);
        if (r >= 0)
                r = su_format(&path, err, "metadata/%s", name);
        if (r >= 0)
                r = size_allowed(type, entry, path, &max, err);
        if (r >= 0)
                r = transport->get(transport->userdata, SU_PART_METADATA, name, max, ret_text,
                                   ret_size, err);
        if (r >= 0)
                r = su_meta_entry_check(entry, path, *ret_text, *ret_size, err);
        if (r >= 0)
                r = su_role_parse(type, role, *ret_text, *ret_size, ret, err);
        if (r < 0)
                return r;
        if (ret->version != entry->version)
                return su_fail(err, SU_ERROR_ROLLBACK, "'%s' calls itself version %lld", path,
                               (long long)ret->version);
        return 0;
}

/* Sections 5.5 and 5.6.1 to 5.6.6. */
int su_load_listed(struct su_trust *trust, enum su_role type, const struct su_role_trust *role,
                   const struct su_meta_entry *entry, struct su_metadata *ret, struct su_error *err)
{
        su_auto(su_stored_done) struct su_stored old = {0};
        su_auto_metadata struct su_metadata new = {0};
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_stored_load(trust, type, role, &old, err);
        if (r < 0)
                return r;
        if (su_stored_is(&old, entry, trust->now)) {
                *ret = old.metadata;
                old.metadata = (struct su_metadata){0};
                return 0;
        }
        r = fetch_listed(trust, type, role, entry, &text, &size, &new, err);
        if (r >= 0 && type == SU_ROLE_SNAPSHOT && old.metadata.document)
                r = su_meta_check_rollback(&old.metadata, &new, err);
        if (r >= 0)
                r = su_check_expiry(&new, role->name, trust->now, err);
        if (r >= 0)
                r = su_cache_write(trust->metadata_fd, role->name, text, size, err);
        if (r < 0)
                return r;
        *ret = new;
        new = (struct su_metadata){0};
        return 0;
}
