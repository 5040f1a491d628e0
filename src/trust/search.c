/* Targets: who signs them, through all delegations (specification sections 5.6.7 and 5.7). */
#include <string.h>

#include "base/text.h"
#include "trust/delegations.h"
#include "trust/session.h"

/* A role that is still to be visited, and through whom it was reached. */
struct visit {
        char *name;
        char *delegator; /* NULL: the root */
        struct visit *next;
};

struct search {
        const char *path;
        struct visit *pending; /* the next one first: pre-order, depth first */
        struct visit *done;
        size_t n_done;
};

static void free_visits(struct visit *visit)
{
        while (visit) {
                struct visit *next = visit->next;

                free(visit->name);
                free(visit->delegator);
                free(visit);
                visit = next;
        }
}

static void search_done(struct search *search)
{
        free_visits(search->pending);
        free_visits(search->done);
}

/* Into the list at `*at`; `*at` is where the next one goes then. */
static int add_visit(struct visit ***at, const char *name, const char *delegator,
                     struct su_error *err)
{
        struct visit *visit = calloc(1, sizeof *visit);
        int r;

        if (!visit)
                return su_fail_oom(err);
        visit->next = **at;
        **at = visit;
        *at = &visit->next;
        r = su_strdup(name, &visit->name, err);
        if (r >= 0 && delegator)
                r = su_strdup(delegator, &visit->delegator, err);
        return r;
}

static bool was_visited(const struct search *search, const char *name)
{
        for (const struct visit *visit = search->done; visit; visit = visit->next)
                if (strcmp(visit->name, name) == 0)
                        return true;
        return false;
}

static struct su_loaded_role *find_loaded(const struct su_trust *trust, const char *name)
{
        struct su_loaded_role *role = trust->loaded;

        while (role && strcmp(role->name, name) != 0)
                role = role->next;
        return role;
}

/* The metadata of a role that was visited, or of the targets role. */
static const struct su_metadata *metadata_of(const struct su_trust *trust, const char *name)
{
        const struct su_loaded_role *role;

        if (strcmp(name, su_role_name(SU_ROLE_TARGETS)) == 0)
                return &trust->roles[SU_ROLE_TARGETS];
        role = find_loaded(trust, name);
        return role ? &role->metadata : NULL;
}

static int remember(struct su_trust *trust, const char *name, struct su_metadata *metadata,
                    struct su_error *err)
{
        struct su_loaded_role *role = find_loaded(trust, name);
        int r;

        if (!role) {
                su_auto_free char *copy = NULL;

                r = su_strdup(name, &copy, err);
                if (r < 0)
                        return r;
                role = calloc(1, sizeof *role);
                if (!role)
                        return su_fail_oom(err);
                role->name = su_take(copy);
                role->next = trust->loaded;
                trust->loaded = role;
        }
        su_metadata_done(&role->metadata);
        role->metadata = *metadata;
        *metadata = (struct su_metadata){0};
        return 0;
}

/* What the delegator says of the role: its keys, not another's. */
static int find_delegation(const struct su_delegations *delegations, const char *name,
                           struct su_role_trust *ret, struct su_error *err)
{
        const struct su_delegation *delegation = delegations->succinct
                                                         ? &delegations->roles[0]
                                                         : su_delegations_find(delegations, name);

        if (!delegation)
                return su_fail(err, SU_ERROR_NOT_FOUND, "nobody delegates to role '%s'", name);
        *ret = (struct su_role_trust){name, &delegations->keys, &delegation->signers};
        return 0;
}

static int find_and_load(struct su_trust *trust, const struct visit *visit, struct su_metadata *ret,
                         struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        su_auto_free char *listed = NULL;
        struct su_role_trust role;
        struct su_meta_entry entry;
        int r;

        r = su_delegations_read(metadata_of(trust, visit->delegator), &delegations, err);
        if (r >= 0)
                r = find_delegation(&delegations, visit->name, &role, err);
        if (r >= 0)
                r = su_format(&listed, err, "%s.json", visit->name);
        if (r >= 0)
                r = su_meta_entry_read(&trust->roles[SU_ROLE_SNAPSHOT], listed, &entry, err);
        return r < 0 ? r : su_load_listed(trust, SU_ROLE_TARGETS, &role, &entry, ret, err);
}

/* Load a delegated role as its delegator wants it signed; once more when it was loaded through
 * another one. Its file is in the cache then, so nothing is fetched again. */
static int load_delegated(struct su_trust *trust, const struct visit *visit, struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        int r;

        r = find_and_load(trust, visit, &metadata, err);
        return r < 0 ? r : remember(trust, visit->name, &metadata, err);
}

/* Whom a role delegates the path to goes before all that is pending; behind a terminating
 * delegation, and instead of what was pending, comes nothing. */
static int add_delegated(const struct su_metadata *targets, const char *name, struct search *search,
                         struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        const struct su_delegation *delegation;
        struct visit **at = &search->pending;
        size_t position = 0;
        int r;

        r = su_delegations_read(targets, &delegations, err);
        while (r >= 0) {
                su_auto_free char *child = NULL;

                r = su_delegations_next(&delegations, search->path, &position, &delegation, &child,
                                        err);
                if (r <= 0)
                        break;
                r = add_visit(&at, child, name, err);
                if (r < 0)
                        break;
                if (delegation->terminating) {
                        free_visits(*at);
                        *at = NULL;
                        break;
                }
        }
        return r < 0 ? r : 0;
}

static int read_target(const json_t *entry, struct su_target *ret, struct su_error *err)
{
        struct su_target target;
        json_t *hashes;
        int64_t size;
        int r;

        r = su_json_get_integer(entry, "length", 0, INT64_MAX, &size, err);
        if (r >= 0)
                r = su_json_get_object(entry, "hashes", &hashes, err);
        if (r >= 0)
                r = su_hashes_read(hashes, &target.hashes, err);
        if (r < 0)
                return r;
        target.size = (uint64_t)size;
        *ret = target;
        return 0;
}

/* Returns 1 when the role has the target, 0 when not. */
static int look(const struct su_metadata *targets, const char *name, const char *path,
                struct su_target *ret, struct su_error *err)
{
        json_t *object;
        json_t *entry;
        int r;

        r = su_json_get_object(targets->signed_part, "targets", &object, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s metadata", name);
        entry = json_object_get(object, path);
        if (!entry)
                return 0;
        r = read_target(entry, ret, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s metadata: '%s'", name, path);
        return 1;
}

/* Of a role that has been looked through only its delegations are needed any more: 32 large ones at
 * once would be too much. */
static void drop_targets(const struct su_trust *trust, const char *name)
{
        struct su_loaded_role *role = find_loaded(trust, name);

        if (role)
                (void)json_object_clear(json_object_get(role->metadata.signed_part, "targets"));
}

/* Visit the next pending role. Returns 1 when it has the target. */
static int visit_next(struct su_trust *trust, struct search *search, struct su_target *ret,
                      struct su_error *err)
{
        struct visit *visit = search->pending;
        int r = 0;

        search->pending = visit->next;
        if (was_visited(search, visit->name)) {
                visit->next = NULL;
                free_visits(visit);
                return 0;
        }
        visit->next = search->done;
        search->done = visit;
        search->n_done++;
        if (visit->delegator)
                r = load_delegated(trust, visit, err);
        if (r >= 0)
                r = look(metadata_of(trust, visit->name), visit->name, search->path, ret, err);
        if (r == 0)
                r = add_delegated(metadata_of(trust, visit->name), visit->name, search, err);
        if (r == 0 && visit->delegator)
                drop_targets(trust, visit->name);
        return r;
}

int su_trust_find(struct su_trust *trust, const char *path, struct su_target *ret,
                  struct su_error *err)
{
        su_auto(search_done) struct search search = {.path = path};
        struct visit **at = &search.pending;
        int r;

        if (!trust->roles[SU_ROLE_TARGETS].document)
                return su_fail(err, SU_ERROR_CONFIG, "no targets metadata is trusted yet");
        r = add_visit(&at, su_role_name(SU_ROLE_TARGETS), NULL, err);
        while (r == 0 && search.pending && search.n_done <= SU_VISITS_MAX)
                r = visit_next(trust, &search, ret, err);
        return r;
}

/* Section 6.2: DIR/HASH.NAME in consistent snapshots, else the path itself; a character that has a
 * meaning in a URL is encoded. */
static int target_name(const struct su_trust *trust, const char *path,
                       const struct su_target *target, char **ret, struct su_error *err)
{
        const char *slash = strrchr(path, '/');
        int directory_size = slash ? (int)(slash + 1 - path) : 0;
        su_auto_free char *name = NULL;
        char hex[SU_SHA512_HEX_SIZE];
        int r;

        if (!trust->root.consistent_snapshot)
                return su_percent_encode(path, "/!$&'()*+,;=:@", ret, err);
        if (target->hashes.has_sha256)
                su_hex_encode(target->hashes.sha256.bytes, SU_SHA256_SIZE, hex);
        else
                su_hex_encode(target->hashes.sha512.bytes, SU_SHA512_SIZE, hex);
        r = su_format(&name, err, "%.*s%s.%s", directory_size, path, hex, path + directory_size);
        return r < 0 ? r : su_percent_encode(name, "/!$&'()*+,;=:@", ret, err);
}

int su_trust_get(struct su_trust *trust, const char *path, size_t max, char **ret_data,
                 size_t *ret_size, struct su_error *err)
{
        const struct su_transport *transport = &trust->transport;
        su_auto_free char *name = NULL;
        su_auto_free char *shown = NULL;
        su_auto_free char *data = NULL;
        struct su_target target = {0};
        size_t size;
        int r;

        r = su_trust_find(trust, path, &target, err);
        if (r < 0)
                return r;
        if (r == 0)
                return su_fail(err, SU_ERROR_NOT_FOUND, "the repository signs no target '%s'",
                               path);
        if (target.size > max)
                return su_fail(err, SU_ERROR_TOO_LARGE, "target '%s' is declared too large", path);
        r = target_name(trust, path, &target, &name, err);
        if (r >= 0)
                r = su_format(&shown, err, "targets/%s", name);
        if (r >= 0)
                r = transport->get(transport->userdata, SU_PART_TARGETS, name, target.size, &data,
                                   &size, err);
        if (r < 0)
                return r;
        if (size != target.size)
                return su_fail(err, SU_ERROR_TRUNCATED, "'%s' has %zu bytes instead of %llu", shown,
                               size, (unsigned long long)target.size);
        r = su_hashes_check(&target.hashes, shown, data, size, err);
        if (r < 0)
                return r;
        *ret_data = su_take(data);
        *ret_size = size;
        return 0;
}

int su_trust_get_to_fd(struct su_trust *trust, const char *path, const struct su_target *target,
                       int fd, struct su_error *err)
{
        const struct su_transport *transport = &trust->transport;
        su_auto_free char *name = NULL;
        su_auto_free char *shown = NULL;
        int r;

        r = target_name(trust, path, target, &name, err);
        if (r >= 0)
                r = su_format(&shown, err, "targets/%s", name);
        if (r >= 0)
                r = transport->get_to_fd(transport->userdata, SU_PART_TARGETS, name, target->size,
                                         fd, err);
        if (r >= 0)
                r = su_hashes_check_fd(&target->hashes, shown, fd, err);
        return r;
}
