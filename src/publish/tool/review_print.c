/* What su_review_print() says. All that stands in the file was written by somebody else. */
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "base/text.h"
#include "publish/tool/review.h"

#define ID_SHOWN 16

/* Whatever the file says, made fit for a terminal. */
static void say(const char *text)
{
        su_auto_free char *copy = text ? strdup(text) : NULL;

        if (copy)
                su_make_printable(copy);
        (void)fputs(copy ? copy : "?", stdout);
}

static void say_key(const char *id, const json_t *keys, const struct su_keyring *keyring)
{
        const json_t *object = json_object_get(keys, id);
        const struct su_key *key = NULL;
        struct su_sha256 decoded;

        if (su_hex_decode(id, decoded.bytes, sizeof decoded.bytes))
                key = su_keyring_find(keyring, &decoded);
        (void)printf("%s (", key ? key->file.name : "a key");
        say(json_string_value(json_object_get(object, "scheme")));
        (void)printf(", %.*s)\n", ID_SHOWN, id);
}

static bool has_id(const json_t *ids, const char *id)
{
        json_t *entry;
        size_t i;

        json_array_foreach (ids, i, entry)
                if (json_string_value(entry) && strcmp(json_string_value(entry), id) == 0)
                        return true;
        return false;
}

/* The keys of `role` that `other` does not have. */
static void say_keys(const char *how, const json_t *role, const json_t *other, const json_t *keys,
                     const struct su_keyring *keyring)
{
        json_t *id;
        size_t i;

        json_array_foreach (json_object_get(role, "keyids"), i, id) {
                if (has_id(json_object_get(other, "keyids"), json_string_value(id)))
                        continue;
                (void)printf("    key %s: ", how);
                say_key(json_string_value(id), keys, keyring);
        }
}

static void say_threshold(const json_t *role)
{
        (void)printf("any %lld of %zu keys",
                     (long long)json_integer_value(json_object_get(role, "threshold")),
                     json_array_size(json_object_get(role, "keyids")));
}

/* Both sides of one role's keys; either may be missing. */
static void compare_role(const char *name, const json_t *now, const json_t *now_keys,
                         const json_t *before, const json_t *before_keys, bool has_before,
                         const struct su_keyring *keyring)
{
        (void)fputs("  role ", stdout);
        say(name);
        (void)fputs(": ", stdout);
        if (!now)
                (void)fputs("goes, with all its keys", stdout);
        else
                say_threshold(now);
        if (has_before && !before)
                (void)fputs("; it is new", stdout);
        else if (now && before && json_equal(now, before))
                (void)fputs(", as before", stdout);
        else if (now && before) {
                (void)fputs("; before: ", stdout);
                say_threshold(before);
        }
        (void)puts("");
        if (now)
                say_keys(has_before ? "comes" : "is", now, before, now_keys, keyring);
        if (before)
                say_keys("goes", before, now, before_keys, keyring);
}

static void compare_root(const struct su_review *review, const struct su_keyring *keyring)
{
        const json_t *now = review->metadata.signed_part;
        const json_t *before = review->old.signed_part;

        for (enum su_role role = 0; role < SU_ROLES; role++) {
                const char *name = su_role_name(role);

                compare_role(name, json_object_get(json_object_get(now, "roles"), name),
                             json_object_get(now, "keys"),
                             json_object_get(json_object_get(before, "roles"), name),
                             json_object_get(before, "keys"), before != NULL, keyring);
        }
}

static void say_target(const char *how, const char *path, const json_t *target)
{
        const json_t *hashes = json_object_get(target, "hashes");
        const char *algorithm = json_object_get(hashes, "sha256") ? "sha256" : "sha512";

        (void)printf("  target %s: ", how);
        say(path);
        (void)printf(", %lld bytes, %s ",
                     (long long)json_integer_value(json_object_get(target, "length")), algorithm);
        say(json_string_value(json_object_get(hashes, algorithm)));
        (void)puts("");
}

static void compare_targets(const struct su_review *review)
{
        json_t *now = json_object_get(review->metadata.signed_part, "targets");
        json_t *before = json_object_get(review->old.signed_part, "targets");
        bool has_before = review->old.document;
        size_t n_same = 0;
        const char *path;
        json_t *target;

        json_object_foreach (now, path, target) {
                const json_t *former = json_object_get(before, path);

                if (former && json_equal(target, former))
                        n_same++;
                else
                        say_target(former ? "changes" : has_before ? "comes" : "is", path, target);
        }
        json_object_foreach (before, path, target)
                if (!json_object_get(now, path))
                        say_target("goes", path, target);
        if (n_same > 0)
                (void)printf("  %zu targets stay as they were\n", n_same);
}

static const json_t *find_delegation(const json_t *roles, const char *name)
{
        json_t *role;
        size_t i;

        json_array_foreach (roles, i, role)
                if (name && strcmp(json_string_value(json_object_get(role, "name")), name) == 0)
                        return role;
        return NULL;
}

static void say_paths(const json_t *role)
{
        const json_t *paths = json_object_get(role, "paths");
        json_t *path;
        size_t i;

        (void)fputs("    may sign for:", stdout);
        if (!paths)
                (void)fputs(" paths by their hashes", stdout);
        json_array_foreach (paths, i, path) {
                (void)fputs(" ", stdout);
                say(json_string_value(path));
        }
        (void)puts(json_is_true(json_object_get(role, "terminating")) ? ", and nobody else" : "");
}

static void compare_delegations(const struct su_review *review, const struct su_keyring *keyring)
{
        const json_t *now = json_object_get(review->metadata.signed_part, "delegations");
        const json_t *before = json_object_get(review->old.signed_part, "delegations");
        const json_t *now_roles = json_object_get(now, "roles");
        const json_t *before_roles = json_object_get(before, "roles");
        json_t *role;
        size_t i;

        json_array_foreach (now_roles, i, role) {
                const char *name = json_string_value(json_object_get(role, "name"));
                const json_t *former = find_delegation(before_roles, name);

                compare_role(name, role, json_object_get(now, "keys"), former,
                             json_object_get(before, "keys"), review->old.document, keyring);
                if (!former ||
                    !json_equal(json_object_get(role, "paths"), json_object_get(former, "paths")))
                        say_paths(role);
        }
        json_array_foreach (before_roles, i, role) {
                const char *name = json_string_value(json_object_get(role, "name"));

                if (!find_delegation(now_roles, name))
                        compare_role(name, NULL, NULL, role, json_object_get(before, "keys"), true,
                                     keyring);
        }
}

/* Whatever else is signed is not passed over in silence. */
static void compare_rest(const struct su_review *review)
{
        static const char *const told[] = {"_type", "version", "expires",    "keys",
                                           "roles", "targets", "delegations"};
        json_t *now = review->metadata.signed_part;
        const json_t *before = review->old.signed_part;
        const char *name;
        json_t *value;

        json_object_foreach (now, name, value) {
                const json_t *former = json_object_get(before, name);
                su_auto_free char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
                bool is_told = false;

                for (size_t i = 0; i < SU_ELEMENTS(told); i++)
                        is_told |= strcmp(name, told[i]) == 0;
                if (is_told || (former && json_equal(value, former)))
                        continue;
                (void)printf("  field %s: ", former ? "changes" : before ? "comes" : "is");
                say(name);
                (void)fputs(" = ", stdout);
                say(text);
                (void)puts("");
        }
}

void su_review_print(const struct su_review *review, const struct su_keyring *keyring)
{
        char fingerprint[SU_SHA256_HEX_SIZE];

        (void)fputs("Metadata of role ", stdout);
        say(review->role);
        (void)printf(", version %lld, expires ", (long long)review->metadata.version);
        say(json_string_value(json_object_get(review->metadata.signed_part, "expires")));
        su_hex_encode(review->fingerprint.bytes, SU_SHA256_SIZE, fingerprint);
        (void)printf("\n  fingerprint %s\n", fingerprint);
        if (review->old.document)
                (void)printf("  compared with version %lld:\n", (long long)review->old.version);
        else
                (void)puts("  the version before is not at hand: this is all of it");
        if (review->metadata.type == SU_ROLE_ROOT)
                compare_root(review, keyring);
        else {
                compare_targets(review);
                compare_delegations(review, keyring);
        }
        compare_rest(review);
}
