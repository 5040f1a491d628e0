#include "trust/client.h"

#include <string.h>

#include "base/text.h"
#include "trust/cache.h"
#include "trust/delegations.h"
#include "trust/session.h"

#define ROOT_ROTATIONS_MAX 256
#define WHOLE_WORKFLOW_EVERY_S (7 * 86400)

static void adopt(struct su_trust *trust, struct su_metadata *metadata)
{
        su_metadata_done(&trust->roles[metadata->type]);
        trust->roles[metadata->type] = *metadata;
        *metadata = (struct su_metadata){0};
}

static struct su_role_trust top_level(const struct su_trust *trust, enum su_role role)
{
        return (struct su_role_trust){su_role_name(role), &trust->root.keys,
                                      &trust->root.signers[role]};
}

/* A root that is signed by the threshold of the one before, if there is one, and by its own: what a
 * stranger sent costs nothing beyond the keys that are trusted already. */
static int parse_root(const struct su_root *before, const char *text, size_t size,
                      struct su_metadata *ret_metadata, struct su_root *ret_root,
                      struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        su_auto_root struct su_root root = {0};
        int r;

        r = su_metadata_parse(SU_ROLE_ROOT, "root", text, size, &metadata, err);
        if (r >= 0 && before)
                r = su_root_verify(before, &metadata, err);
        if (r >= 0)
                r = su_root_read(&metadata, &root, err);
        if (r >= 0)
                r = su_root_verify(&root, &metadata, err);
        if (r < 0)
                return r;
        *ret_metadata = metadata;
        *ret_root = root;
        metadata = (struct su_metadata){0};
        root = (struct su_root){0};
        return 0;
}

int su_trust_init(int metadata_fd, const char *root, size_t size, struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        su_auto_root struct su_root keys = {0};
        int r;

        if (faccessat(metadata_fd, "root.json", F_OK, 0) == 0)
                return 0;
        if (errno != ENOENT)
                return su_fail_errno(err, errno, "cannot look for a trusted root");
        r = parse_root(NULL, root, size, &metadata, &keys, err);
        return r < 0 ? r : su_cache_write(metadata_fd, "root", root, size, err);
}

static int load_root(struct su_trust *trust, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_cache_read(trust->metadata_fd, "root", SU_ROOT_SIZE_MAX, &text, &size, err);
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_CONFIG, "the device has no trusted root yet");
        if (r < 0)
                return r;
        r = parse_root(NULL, text, size, &trust->roles[SU_ROLE_ROOT], &trust->root, err);
        if (r < 0)
                return su_fail_prefix(err, r, "the trusted 'root.json'");
        return su_cache_settle(trust->metadata_fd, trust->roles[SU_ROLE_ROOT].version, err);
}

int su_trust_open(int metadata_fd, struct su_trust **ret, struct su_error *err)
{
        su_auto_trust struct su_trust *trust = calloc(1, sizeof *trust);
        int r;

        if (!trust)
                return su_fail_oom(err);
        trust->metadata_fd = metadata_fd;
        r = load_root(trust, err);
        if (r < 0)
                return r;
        *ret = su_take(trust);
        return 0;
}

static void free_loaded(struct su_trust *trust)
{
        while (trust->loaded) {
                struct su_loaded_role *role = trust->loaded;

                trust->loaded = role->next;
                su_metadata_done(&role->metadata);
                free(role->name);
                free(role);
        }
}

void su_trust_free(struct su_trust *trust)
{
        if (!trust)
                return;
        for (enum su_role role = 0; role < SU_ROLES; role++)
                su_metadata_done(&trust->roles[role]);
        su_root_done(&trust->root);
        free_loaded(trust);
        free(trust);
}

static bool has_other_online_keys(const struct su_root *old, const struct su_root *new)
{
        return !su_signers_equal(&old->signers[SU_ROLE_TIMESTAMP],
                                 &new->signers[SU_ROLE_TIMESTAMP]) ||
               !su_signers_equal(&old->signers[SU_ROLE_SNAPSHOT], &new->signers[SU_ROLE_SNAPSHOT]);
}

static int store_root(const struct su_trust *trust, const struct su_root *root, const char *text,
                      size_t size, int64_t version, struct su_error *err)
{
        if (has_other_online_keys(&trust->root, root))
                return su_cache_write_root_with_recovery(trust->metadata_fd, text, size, version,
                                                         err);
        return su_cache_write(trust->metadata_fd, "root", text, size, err);
}

/* Section 5.3: one new root, signed by the old threshold and by its own. -ENOENT: there is none. */
static int update_root_once(struct su_trust *trust, struct su_error *err)
{
        const struct su_transport *transport = &trust->transport;
        su_auto_metadata struct su_metadata metadata = {0};
        su_auto_root struct su_root root = {0};
        su_auto_free char *name = NULL;
        su_auto_free char *text = NULL;
        int64_t next = trust->roles[SU_ROLE_ROOT].version + 1;
        size_t size;
        int r;

        r = su_format(&name, err, "%lld.root.json", (long long)next);
        if (r >= 0)
                r = transport->get(transport->userdata, SU_PART_METADATA, name, SU_ROOT_SIZE_MAX,
                                   &text, &size, err);
        if (r >= 0)
                r = parse_root(&trust->root, text, size, &metadata, &root, err);
        if (r < 0)
                return r;
        if (metadata.version != next)
                return su_fail(err, SU_ERROR_ROLLBACK, "'%s' calls itself version %lld", name,
                               (long long)metadata.version);
        r = store_root(trust, &root, text, size, next, err);
        if (r < 0)
                return r;
        su_root_done(&trust->root);
        trust->root = root;
        root = (struct su_root){0};
        adopt(trust, &metadata);
        return 0;
}

static int update_root(struct su_trust *trust, struct su_error *err)
{
        for (int i = 0; i < ROOT_ROTATIONS_MAX; i++) {
                struct su_error here = {0};
                int r = -ENOENT;

                if (trust->roles[SU_ROLE_ROOT].version < INT64_MAX)
                        r = update_root_once(trust, &here);
                else
                        here.code = SU_ERROR_NOT_FOUND; /* there is no number for another */
                if (r < 0 && here.code == SU_ERROR_NOT_FOUND)
                        return su_check_expiry(&trust->roles[SU_ROLE_ROOT], "root", trust->now,
                                               err);
                if (r < 0) {
                        if (err)
                                *err = here;
                        return r;
                }
        }
        return su_fail(err, SU_ERROR_FORMAT, "the repository has more than %d new roots",
                       ROOT_ROTATIONS_MAX);
}

/* Section 5.4.3: never back, and of what it vouches for neither. */
static int check_timestamp(const struct su_metadata *old, const struct su_metadata *new,
                           struct su_error *err)
{
        struct su_meta_entry entry;
        int r;

        r = su_meta_entry_read(new, "snapshot.json", &entry, err);
        if (r < 0 || !old->document)
                return r;
        if (new->version < old->version)
                return su_fail(err, SU_ERROR_ROLLBACK,
                               "timestamp metadata went back from version %lld to %lld",
                               (long long)old->version, (long long)new->version);
        return su_meta_check_rollback(old, new, err);
}

/* The name of the stored timestamp's bytes, unless it is known: a kill may have lost it. */
static int keep_etag(const struct su_trust *trust, const char *etag, struct su_error *err)
{
        su_auto_free char *known = NULL;
        int r;

        r = su_cache_etag(trust->metadata_fd, &known, err);
        if (r < 0 || (known && strcmp(known, etag) == 0))
                return r;
        return su_cache_set_etag(trust->metadata_fd, etag, err);
}

/* A timestamp of the version that is here already changes nothing (section 5.4.3). */
static int keep_timestamp(struct su_trust *trust, const struct su_transport_answer *answer,
                          struct su_stored *old, struct su_error *err)
{
        int r = 0;

        if (answer->etag && answer->size == old->size &&
            memcmp(answer->data, old->text, old->size) == 0)
                r = keep_etag(trust, answer->etag, err);
        if (r >= 0)
                r = su_check_expiry(&old->metadata, su_role_name(SU_ROLE_TIMESTAMP), trust->now,
                                    err);
        adopt(trust, &old->metadata);
        return r;
}

static int take_timestamp(struct su_trust *trust, const struct su_transport_answer *answer,
                          struct su_stored *old, struct su_error *err)
{
        struct su_role_trust role = top_level(trust, SU_ROLE_TIMESTAMP);
        su_auto_metadata struct su_metadata new = {0};
        int r;

        r = su_role_parse(SU_ROLE_TIMESTAMP, &role, answer->data, answer->size, &new, err);
        if (r >= 0)
                r = check_timestamp(&old->metadata, &new, err);
        if (r < 0)
                return r;
        if (old->metadata.document && new.version == old->metadata.version)
                return keep_timestamp(trust, answer, old, err);
        r = su_check_expiry(&new, role.name, trust->now, err);
        if (r >= 0)
                r = su_cache_set_etag(trust->metadata_fd, NULL, err);
        if (r >= 0)
                r = su_cache_write(trust->metadata_fd, role.name, answer->data, answer->size, err);
        if (r >= 0 && answer->etag)
                r = su_cache_set_etag(trust->metadata_fd, answer->etag, err);
        if (r < 0)
                return r;
        adopt(trust, &new);
        return 0;
}

static void answer_done(struct su_transport_answer *answer)
{
        free(answer->data);
        free(answer->etag);
        *answer = (struct su_transport_answer){0};
}

/* Section 5.4. `came` is the answer to a question that was asked before, or empty. */
static int update_timestamp(struct su_trust *trust, struct su_transport_answer *came,
                            struct su_error *err)
{
        const struct su_transport *transport = &trust->transport;
        struct su_role_trust role = top_level(trust, SU_ROLE_TIMESTAMP);
        su_auto(su_stored_done) struct su_stored old = {0};
        int r;

        r = su_stored_load(trust, SU_ROLE_TIMESTAMP, &role, &old, err);
        if (r >= 0 && !came->data)
                r = transport->get(transport->userdata, SU_PART_METADATA, "timestamp.json",
                                   SU_TIMESTAMP_SIZE_MAX, &came->data, &came->size, err);
        return r < 0 ? r : take_timestamp(trust, came, &old, err);
}

/* Snapshot or targets, as the role above names it. */
static int follow(struct su_trust *trust, enum su_role above, enum su_role type,
                  struct su_error *err)
{
        struct su_role_trust role = top_level(trust, type);
        struct su_metadata metadata;
        su_auto_free char *name = NULL;
        struct su_meta_entry entry;
        int r;

        r = su_format(&name, err, "%s.json", role.name);
        if (r >= 0)
                r = su_meta_entry_read(&trust->roles[above], name, &entry, err);
        if (r >= 0)
                r = su_load_listed(trust, type, &role, &entry, &metadata, err);
        if (r < 0)
                return r;
        adopt(trust, &metadata);
        return 0;
}

/* An ETag may outlive whoever gave it: once in a while all is asked for, the next root, too. The
 * time floor is raised by nothing but that. */
static bool is_due(const struct su_trust *trust, int64_t now)
{
        int64_t last = su_cache_time_floor(trust->metadata_fd);

        return now < last || now >= last + WHOLE_WORKFLOW_EVERY_S;
}

static void begin(struct su_trust *trust, const struct su_transport *transport, int64_t now)
{
        int64_t floor = su_cache_time_floor(trust->metadata_fd);

        trust->transport = *transport;
        trust->now = now > floor ? now : floor;
        free_loaded(trust);
}

static int refresh(struct su_trust *trust, struct su_transport_answer *timestamp,
                   struct su_error *err)
{
        int r;

        r = update_root(trust, err);
        if (r >= 0)
                r = update_timestamp(trust, timestamp, err);
        if (r >= 0)
                r = follow(trust, SU_ROLE_TIMESTAMP, SU_ROLE_SNAPSHOT, err);
        if (r >= 0)
                r = follow(trust, SU_ROLE_SNAPSHOT, SU_ROLE_TARGETS, err);
        if (r >= 0)
                r = su_cache_raise_time_floor(trust->metadata_fd, trust->now, err);
        return r;
}

int su_trust_refresh(struct su_trust *trust, const struct su_transport *transport, int64_t now,
                     struct su_error *err)
{
        su_auto(answer_done) struct su_transport_answer nothing = {0};

        begin(trust, transport, now);
        return refresh(trust, &nothing, err);
}

/* Take over what is stored of one role, if it is what the role above names and fresh. */
static int adopt_stored(struct su_trust *trust, enum su_role above, enum su_role type,
                        bool *ret_complete, struct su_error *err)
{
        struct su_role_trust role = top_level(trust, type);
        su_auto(su_stored_done) struct su_stored stored = {0};
        su_auto_free char *name = NULL;
        struct su_meta_entry entry;
        int r;

        *ret_complete = false;
        r = su_stored_load(trust, type, &role, &stored, err);
        if (r < 0 || !su_metadata_is_fresh(&stored.metadata, trust->now))
                return r;
        r = su_format(&name, err, "%s.json", role.name);
        if (r < 0)
                return r;
        if (type != SU_ROLE_TIMESTAMP &&
            (su_meta_entry_read(&trust->roles[above], name, &entry, NULL) < 0 ||
             !su_stored_is(&stored, &entry, trust->now)))
                return 0;
        adopt(trust, &stored.metadata);
        *ret_complete = true;
        return 0;
}

/* Whether all that is trusted is here and fresh, so that an unchanged timestamp says it all. */
static int adopt_all_stored(struct su_trust *trust, bool *ret_complete, struct su_error *err)
{
        int r = 0;

        *ret_complete = su_metadata_is_fresh(&trust->roles[SU_ROLE_ROOT], trust->now);
        for (enum su_role role = SU_ROLE_TIMESTAMP; role < SU_ROLES && r >= 0 && *ret_complete;
             role++)
                r = adopt_stored(trust, role - 1, role, ret_complete, err);
        return r;
}

int su_trust_refresh_if_changed(struct su_trust *trust, const struct su_transport *transport,
                                int64_t now, struct su_error *err)
{
        su_auto(answer_done) struct su_transport_answer answer = {0};
        su_auto_free char *etag = NULL;
        bool complete;
        int r;

        begin(trust, transport, now);
        r = adopt_all_stored(trust, &complete, err);
        if (r >= 0 && complete && !is_due(trust, now))
                r = su_cache_etag(trust->metadata_fd, &etag, err);
        if (r >= 0)
                r = transport->get_if_changed(transport->userdata, SU_PART_METADATA,
                                              "timestamp.json", SU_TIMESTAMP_SIZE_MAX, etag,
                                              &answer, err);
        if (r < 0)
                return r;
        if (!answer.data && !etag)
                return su_fail(err, SU_ERROR_UNREACHABLE,
                               "the server answers a question that was not asked");
        return answer.data ? refresh(trust, &answer, err) : 0;
}

int64_t su_trust_expires(const struct su_trust *trust)
{
        int64_t first = INT64_MAX;

        for (enum su_role role = 0; role < SU_ROLES; role++)
                if (trust->roles[role].document && trust->roles[role].expires < first)
                        first = trust->roles[role].expires;
        return first;
}
