#include "publish/tool/waiting.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "publish/tool/advisories.h"

#define ID_SHOWN 8 /* digits of a key id that tell keys apart for people */

static const char *whose(const struct su_staged *staged, size_t authority)
{
        if (staged->authorities.n == 1)
                return "its keys";
        return authority == 0 ? "its new keys" : "its former keys";
}

/* One row of "has signed": an array of who has not. */
static int missing_keys(const struct su_publisher *publisher, const struct su_staged *staged,
                        const struct su_authority *authority, json_t **ret, struct su_error *err)
{
        su_auto_json json_t *missing = json_array();
        su_auto_free size_t *good = calloc(authority->signers.n_ids + 1, sizeof *good);
        int n;

        if (!good)
                return su_fail_oom(err);
        n = su_metadata_signed_by(&staged->metadata, &authority->keys, &authority->signers, good,
                                  err);
        if (n < 0)
                return n;
        for (size_t i = 0; i < authority->signers.n_ids; i++) {
                const struct su_key *key =
                        su_keyring_find(&publisher->keyring, &authority->signers.ids[i]);
                char hex[SU_SHA256_HEX_SIZE];
                bool has_signed = false;

                for (int j = 0; j < n; j++)
                        has_signed |= good[j] == i;
                if (has_signed)
                        continue;
                su_hex_encode(authority->signers.ids[i].bytes, SU_SHA256_SIZE, hex);
                if (json_array_append_new(missing, json_pack("{s:s, s:s?}", "keyid", hex, "name",
                                                             key ? key->file.name : NULL)) < 0)
                        return su_fail_oom(err);
        }
        *ret = su_take(missing);
        return 0;
}

static int describe_authority(const struct su_publisher *publisher, const struct su_staged *staged,
                              size_t i, json_t *rows, struct su_error *err)
{
        const struct su_authority *authority = &staged->authorities.each[i];
        json_t *missing;
        int count;
        int r;

        count = su_authority_count(authority, &staged->metadata, err);
        r = count < 0 ? count : missing_keys(publisher, staged, authority, &missing, err);
        if (r < 0)
                return r;
        if (json_array_append_new(rows,
                                  json_pack("{s:s, s:b, s:I, s:I, s:o}", "whose", whose(staged, i),
                                            "required", (int)authority->required, "threshold",
                                            (json_int_t)authority->signers.threshold, "signed",
                                            (json_int_t)count, "missing", missing)) < 0)
                return su_fail_oom(err);
        return 0;
}

static int describe(const struct su_publisher *publisher, const struct su_staged *staged,
                    json_t *all, struct su_error *err)
{
        json_t *rows = json_array();
        char fingerprint[SU_SHA256_HEX_SIZE];
        struct su_sha256 digest;
        json_t *document;
        int r;

        r = su_signing_fingerprint(staged->metadata.signed_part, &digest, err);
        for (size_t i = 0; i < staged->authorities.n && r >= 0; i++)
                r = describe_authority(publisher, staged, i, rows, err);
        if (r < 0) {
                json_decref(rows);
                return r;
        }
        su_hex_encode(digest.bytes, sizeof digest.bytes, fingerprint);
        document = json_pack(
                "{s:s, s:s, s:I, s:s, s:s, s:b, s:b, s:o}", "file", staged->file, "role",
                staged->role, "version", (json_int_t)staged->metadata.version, "expires",
                json_string_value(json_object_get(staged->metadata.signed_part, "expires")),
                "fingerprint", fingerprint, "complete", (int)staged->complete, "expired",
                staged->metadata.expires <= su_now(), "signatures", rows);
        return json_array_append_new(all, document) < 0 ? su_fail_oom(err) : 0;
}

int su_waiting_json(const struct su_publisher *publisher, json_t **ret, struct su_error *err)
{
        su_auto_staged_list struct su_staged_list list = {0};
        su_auto_json json_t *all = json_array();
        int r;

        r = su_staging_list(&publisher->workspace, &list, err);
        for (size_t i = 0; i < list.n && r >= 0; i++)
                r = describe(publisher, &list.each[i], all, err);
        if (r < 0)
                return r;
        *ret = su_take(all);
        return 0;
}

static void print_row(const json_t *row)
{
        json_int_t threshold = json_integer_value(json_object_get(row, "threshold"));
        json_int_t n = json_integer_value(json_object_get(row, "signed"));
        json_t *missing;
        size_t i;

        (void)printf("    %s: %lld of %lld signatures",
                     json_string_value(json_object_get(row, "whose")), (long long)n,
                     (long long)threshold);
        if (n < threshold) {
                (void)printf(json_is_true(json_object_get(row, "required"))
                                     ? "; sign with"
                                     : " (wanted, not needed); sign with");
                json_array_foreach (json_object_get(row, "missing"), i, missing) {
                        const char *name = json_string_value(json_object_get(missing, "name"));

                        (void)printf("%s %s (%.*s)", i ? "," : "", name ? name : "a key", ID_SHOWN,
                                     json_string_value(json_object_get(missing, "keyid")));
                }
        }
        (void)printf("\n");
}

static void print_one(const json_t *document)
{
        json_t *row;
        size_t i;

        (void)printf("  " SU_STAGED "/%s%s\n    fingerprint %s\n",
                     json_string_value(json_object_get(document, "file")),
                     json_is_true(json_object_get(document, "expired"))
                             ? ": has EXPIRED: drop it with 'sign --discard'"
                     : json_is_true(json_object_get(document, "complete"))
                             ? ": signed; goes out with the others"
                             : "",
                     json_string_value(json_object_get(document, "fingerprint")));
        json_array_foreach (json_object_get(document, "signatures"), i, row)
                print_row(row);
}

int su_waiting_print(const struct su_publisher *publisher, struct su_error *err)
{
        su_auto_json json_t *all = NULL;
        json_t *document;
        size_t i;
        int r;

        r = su_waiting_json(publisher, &all, err);
        if (r < 0 || json_array_size(all) == 0)
                return r;
        (void)puts("Waiting for signatures:");
        json_array_foreach (all, i, document)
                print_one(document);
        return 0;
}

int su_waiting_report(const struct su_publisher *publisher, const struct su_published *published,
                      struct su_error *err)
{
        for (size_t i = 0; i < published->n_roles; i++)
                (void)printf("%s%s%s", i == 0 ? "Published: " : ", ", published->roles[i],
                             i + 1 == published->n_roles ? ".\n" : "");
        return su_waiting_print(publisher, err);
}

int su_waiting_finish(struct su_publisher *publisher, bool always, struct su_published *ret,
                      struct su_error *err)
{
        int r;

        r = su_staging_settle(publisher, err);
        if (r >= 0)
                r = su_staging_commit(&publisher->workspace, err);
        if (r >= 0)
                r = su_publishing_run(publisher, always, ret, err);
        if (r >= 0 && (always || ret->n_roles > 0))
                su_advisories_follow(publisher);
        return r;
}
