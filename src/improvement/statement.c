#include "improvement/statement.h"

#include <string.h>

#include "base/text.h"
#include "improvement/codec.h"
#include "json/json.h"

#define RELEASE_TYPE "suture-release"
#define RECALL_TYPE "suture-recall"
#define STATEMENT_VERSION 1

/* Takes `document` over; NULL: memory ran out. */
static int write_entry(json_t *document, char **ret, size_t *ret_size, struct su_error *err)
{
        su_auto_json json_t *owned = document;

        return owned ? su_json_canonical(owned, ret, ret_size, err) : su_fail_oom(err);
}

int su_statement_of_release(const char *baseline, const struct su_level *level,
                            const char *manifest, size_t size, char **ret, size_t *ret_size,
                            struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        struct su_sha256 digest;
        int r;

        r = su_sha256_of(manifest, size, &digest, err);
        if (r < 0)
                return r;
        su_hex_encode(digest.bytes, sizeof digest.bytes, hex);
        return write_entry(json_pack("{s:s, s:i, s:s, s:s, s:{s:I, s:s}}", "type", RELEASE_TYPE,
                                     "version", STATEMENT_VERSION, "baseline", baseline, "level",
                                     level->name, "manifest", "size", (json_int_t)size, "sha256",
                                     hex),
                           ret, ret_size, err);
}

int su_statement_of_recall(const char *baseline, const struct su_level *level, const char *reason,
                           char **ret, size_t *ret_size, struct su_error *err)
{
        return write_entry(json_pack("{s:s, s:i, s:s, s:s, s:s}", "type", RECALL_TYPE, "version",
                                     STATEMENT_VERSION, "baseline", baseline, "level", level->name,
                                     "reason", reason),
                           ret, ret_size, err);
}

static int read_kind(const json_t *document, enum su_statement_kind *ret, struct su_error *err)
{
        const char *type;
        int r;

        if (!json_is_object(document))
                return su_fail(err, SU_ERROR_FORMAT, "it is not an object");
        r = su_json_get_string(document, "type", &type, err);
        if (r < 0)
                return r;
        *ret = strcmp(type, RECALL_TYPE) == 0 ? SU_STATEMENT_RECALL : SU_STATEMENT_RELEASE;
        return su_json_expect_type(document,
                                   *ret == SU_STATEMENT_RECALL ? RECALL_TYPE : RELEASE_TYPE,
                                   STATEMENT_VERSION, err);
}

static int read_manifest(const json_t *document, struct su_statement *statement,
                         struct su_error *err)
{
        json_t *manifest;
        int64_t size;
        int r;

        r = su_json_get_object(document, "manifest", &manifest, err);
        if (r >= 0)
                r = su_json_get_integer(manifest, "size", 1, INT64_MAX, &size, err);
        if (r >= 0)
                r = su_json_get_hex(manifest, "sha256", statement->manifest.bytes,
                                    sizeof statement->manifest.bytes, err);
        if (r < 0)
                return r;
        statement->manifest_size = (uint64_t)size;
        return 0;
}

static int read_reason(const json_t *document, struct su_statement *statement, struct su_error *err)
{
        const char *reason;
        int r;

        r = su_json_get_string(document, "reason", &reason, err);
        return r < 0 ? r : su_strdup(reason, &statement->reason, err);
}

static int read_statement(const json_t *document, struct su_statement *statement,
                          struct su_error *err)
{
        const char *baseline;
        int r;

        r = read_kind(document, &statement->kind, err);
        if (r >= 0)
                r = su_json_get_safe_name(document, "baseline", &baseline, err);
        if (r >= 0)
                r = su_strdup(baseline, &statement->baseline, err);
        if (r >= 0)
                r = su_level_from_json(document, "level", &statement->level, err);
        if (r >= 0 && statement->level.name[0] == '\0')
                r = su_fail(err, SU_ERROR_FORMAT, "field 'level' is missing");
        if (r < 0)
                return r;
        return statement->kind == SU_STATEMENT_RELEASE ? read_manifest(document, statement, err)
                                                       : read_reason(document, statement, err);
}

/* Fields that are not known, blanks, another order: then others would not find the entry. */
static int check_form(const json_t *document, const char *text, size_t size, struct su_error *err)
{
        su_auto_free char *canonical = NULL;
        size_t canonical_size;
        int r;

        r = su_json_canonical(document, &canonical, &canonical_size, err);
        if (r < 0)
                return r;
        if (canonical_size != size || memcmp(canonical, text, size) != 0 ||
            json_object_size(document) != 5)
                return su_fail(err, SU_ERROR_FORMAT, "it is not in the form of a log entry");
        return 0;
}

int su_statement_parse(const char *text, size_t size, struct su_statement *ret,
                       struct su_error *err)
{
        su_auto_statement struct su_statement statement = {0};
        su_auto_json json_t *document = NULL;
        int r;

        r = su_json_parse(text, size, &document, err);
        if (r >= 0)
                r = read_statement(document, &statement, err);
        if (r >= 0)
                r = check_form(document, text, size, err);
        if (r < 0)
                return su_fail_prefix(err, r, "log entry");
        *ret = statement;
        statement = (struct su_statement){0};
        return 0;
}

void su_statement_done(struct su_statement *statement)
{
        free(statement->baseline);
        free(statement->reason);
        *statement = (struct su_statement){0};
}
