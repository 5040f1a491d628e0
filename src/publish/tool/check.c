/* suture-publish check: would a device accept this repository now, and until when? */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "publish/store/repository.h"
#include "publish/tool/examine.h"
#include "publish/tool/print.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"
#include "publish/tool/warnings.h"

/* Twice: as a device that comes new, with the first root, and as one that has the newest. */
static int examine(const struct su_publisher *publisher, const char *url, json_t *found,
                   struct su_error *err)
{
        su_auto_metadata struct su_metadata newest = {0};
        su_auto_json json_t *again = json_object();
        su_auto_free char *root = NULL;
        int r;

        r = su_examine(&publisher->workspace, "public/metadata/1.root.json", url, true, found, err);
        if (r < 0)
                return r;
        r = su_repository_metadata(&publisher->workspace, SU_PUBLISHED, "root", &newest, err);
        if (r >= 0)
                r = su_format(&root, err, "public/metadata/%lld.root.json",
                              (long long)newest.version);
        if (r >= 0)
                r = su_examine(&publisher->workspace, root, url, false, again, err);
        if (r < 0)
                return su_fail_prefix(err, r, "a device with root version %lld",
                                      (long long)newest.version);
        return 0;
}

/* Which role expires first. */
static const json_t *find_first(const json_t *found)
{
        const json_t *first = NULL;
        int64_t first_expires = INT64_MAX;
        json_t *entry;
        size_t i;

        json_array_foreach (json_object_get(found, "roles"), i, entry) {
                int64_t expires;

                if (su_time_parse(json_string_value(json_object_get(entry, "expires")), &expires) &&
                    expires < first_expires) {
                        first = entry;
                        first_expires = expires;
                }
        }
        return first;
}

static void print(const json_t *found, const char *url, bool accepted)
{
        const json_t *first = json_object_get(found, "first");
        json_t *entry;
        size_t i;

        json_array_foreach (json_object_get(found, "roles"), i, entry)
                (void)printf("%-10s version %lld, expires %s\n",
                             json_string_value(json_object_get(entry, "role")),
                             (long long)json_integer_value(json_object_get(entry, "version")),
                             json_string_value(json_object_get(entry, "expires")));
        json_array_foreach (json_object_get(found, "baselines"), i, entry) {
                const char *level = json_string_value(json_object_get(entry, "level"));

                (void)printf("%s: %s%s%s\n", json_string_value(json_object_get(entry, "name")),
                             level ? "level (" : "nothing is offered", level ? level : "",
                             level ? ")" : "");
                if (level)
                        (void)printf(
                                "  %lld deltas, %lld bytes: all there, and as signed\n",
                                (long long)json_integer_value(json_object_get(entry, "objects")),
                                (long long)json_integer_value(json_object_get(entry, "bytes")));
        }
        json_array_foreach (json_object_get(found, "warnings"), i, entry)
                (void)printf("Warning: %s.\n", json_string_value(entry));
        if (accepted)
                (void)printf("A device would accept %s until %s, when %s expires.\n", url,
                             json_string_value(json_object_get(first, "expires")),
                             json_string_value(json_object_get(first, "role")));
        else
                (void)printf("A device would NOT accept %s.\n", url);
}

static int complete(const struct su_publisher *publisher, json_t *found, const struct su_error *why,
                    struct su_error *err)
{
        json_t *warnings = json_array();
        const json_t *first = why->code == SU_OK ? find_first(found) : NULL;
        int r = 0;

        if (json_object_set_new(found, "warnings", warnings) < 0 ||
            json_object_set_new(found, "accepted", json_boolean(why->code == SU_OK)) < 0 ||
            json_object_set_new(found, "first", first ? json_deep_copy(first) : json_null()) < 0 ||
            (why->code != SU_OK &&
             json_object_set_new(found, "error",
                                 json_pack("{s:s, s:s, s:i}", "name", su_error_name(why->code),
                                           "message", why->message, "exit_status",
                                           su_error_exit_status(why->code))) < 0))
                return su_fail_oom(err);
        r = su_warn_of_expiry(found, warnings, err);
        if (r >= 0) {
                r = su_warn_of_keys(publisher, warnings, err);
                if (r == -ENOENT) /* nothing is published: that is said already */
                        r = 0;
        }
        return r;
}

int su_verb_check(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_json json_t *found = json_object();
        su_auto_free char *url = NULL;
        struct su_error why = {0};
        int result;
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_READ, &publisher, err);
        if (r >= 0)
                r = arguments->url ? su_strdup(arguments->url, &url, err)
                                   : su_examine_local_url(&publisher.workspace, &url, err);
        if (r < 0)
                return r;
        result = examine(&publisher, url, found, &why);
        if (result >= 0) /* what was tried in vain on the way is no failure */
                why = (struct su_error){0};
        r = complete(&publisher, found, &why, err);
        if (r >= 0 && arguments->json)
                r = su_print_json(found, err);
        else if (r >= 0)
                print(found, url, result >= 0);
        if (r < 0)
                return r;
        if (result < 0)
                *err = why;
        return result;
}
