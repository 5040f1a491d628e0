#include "publish/tool/review.h"

#include <fcntl.h>
#include <libgen.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/signing/signing.h"
#include "publish/store/repository.h"
#include "trust/meta.h"
#include "trust/root.h"

static int find_type(const json_t *document, enum su_role *ret, struct su_error *err)
{
        const char *type;
        json_t *signed_part;
        int r;

        r = su_json_get_object(document, "signed", &signed_part, err);
        if (r >= 0)
                r = su_json_get_string(signed_part, "_type", &type, err);
        if (r < 0)
                return r;
        if (strcmp(type, "snapshot") == 0 || strcmp(type, "timestamp") == 0)
                return su_fail(err, SU_ERROR_USAGE,
                               "it is %s metadata, which is signed where it is published", type);
        if (strcmp(type, "root") != 0 && strcmp(type, "targets") != 0)
                return su_fail(err, SU_ERROR_FORMAT, "its type is '%s'", type);
        *ret = su_role_type(type);
        return 0;
}

static int check_targets(const struct su_metadata *metadata, struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        const char *path;
        json_t *targets;
        json_t *target;
        int r;

        r = su_delegations_read(metadata, &delegations, err);
        if (r >= 0)
                r = su_json_get_object(metadata->signed_part, "targets", &targets, err);
        if (r < 0)
                return r;
        json_object_foreach (targets, path, target) {
                struct su_hashes hashes;
                json_t *object;
                int64_t length;

                r = su_json_get_integer(target, "length", 0, INT64_MAX, &length, err);
                if (r >= 0)
                        r = su_json_get_object(target, "hashes", &object, err);
                if (r >= 0)
                        r = su_hashes_read(object, &hashes, err);
                if (r < 0)
                        return su_fail_prefix(err, r, "target '%s'", path);
        }
        return 0;
}

static int check_content(const struct su_metadata *metadata, struct su_error *err)
{
        su_auto_root struct su_root root = {0};

        if (metadata->type == SU_ROLE_ROOT)
                return su_root_read(metadata, &root, err);
        return check_targets(metadata, err);
}

static int read_file(const char *path, struct su_metadata *ret, struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        su_auto_json json_t *document = NULL;
        su_auto_free char *text = NULL;
        enum su_role type;
        size_t size;
        int r;

        r = su_file_read(AT_FDCWD, path, SU_METADATA_FILE_MAX, &text, &size, err);
        if (r < 0)
                return r;
        r = su_json_parse(text, size, &document, err);
        if (r >= 0)
                r = find_type(document, &type, err);
        if (r >= 0)
                r = su_metadata_parse(type, su_role_name(type), text, size, &metadata, err);
        if (r >= 0)
                r = check_content(&metadata, err);
        if (r < 0)
                return su_fail_prefix(err, r, "'%s'", path);
        *ret = metadata;
        metadata = (struct su_metadata){0};
        return 0;
}

/* A baseline's name stands in no metadata, only in the file's name. */
static int find_role(const char *path, const struct su_metadata *metadata, char **ret,
                     struct su_error *err)
{
        su_auto_free char *copy = NULL;
        const char *role;
        int64_t version;
        size_t size;
        int r;

        r = su_strdup(path, &copy, err);
        if (r < 0)
                return r;
        if (!su_role_file_parse(basename(copy), &version, &role, &size))
                return su_fail(err, SU_ERROR_USAGE,
                               "'%s' is not called N.ROLE.json: leave it the name that it had",
                               path);
        r = su_format(ret, err, "%.*s", (int)size, role);
        if (r < 0)
                return r;
        if (version != metadata->version || su_role_type(*ret) != metadata->type)
                return su_fail(err, SU_ERROR_FORMAT, "'%s' is %s metadata of version %lld", path,
                               su_role_name(metadata->type), (long long)metadata->version);
        return 0;
}

static int read_old_beside(const char *path, struct su_review *review, struct su_error *err)
{
        static const char *const places[] = {".", "../public/metadata"};
        su_auto_free char *copy = NULL;
        su_auto_free char *file = NULL;
        const char *directory;
        int r;

        r = su_strdup(path, &copy, err);
        if (r < 0)
                return r;
        directory = dirname(copy);
        r = su_role_file(review->role, review->metadata.version - 1, &file, err);
        for (size_t i = 0; i < SU_ELEMENTS(places) && r >= 0; i++) {
                su_auto_free char *beside = NULL;

                r = su_format(&beside, err, "%s/%s/%s", directory, places[i], file);
                if (r >= 0 && faccessat(AT_FDCWD, beside, F_OK, 0) == 0)
                        return read_file(beside, &review->old, err);
        }
        return r;
}

int su_review_read(const char *path, const char *old_path, struct su_review *ret,
                   struct su_error *err)
{
        su_auto_review struct su_review review = {0};
        int r;

        r = read_file(path, &review.metadata, err);
        if (r >= 0)
                r = find_role(path, &review.metadata, &review.role, err);
        if (r >= 0)
                r = old_path ? read_file(old_path, &review.old, err)
                             : read_old_beside(path, &review, err);
        if (r >= 0)
                r = su_signing_fingerprint(review.metadata.signed_part, &review.fingerprint, err);
        if (r < 0)
                return r;
        if (review.old.document && (review.old.type != review.metadata.type ||
                                    review.old.version >= review.metadata.version))
                return su_fail(err, SU_ERROR_CONFLICT,
                               "'%s' is version %lld; what it is compared with is version %lld",
                               path, (long long)review.metadata.version,
                               (long long)review.old.version);
        *ret = review;
        review = (struct su_review){0};
        return 0;
}

void su_review_done(struct su_review *review)
{
        free(review->role);
        su_metadata_done(&review->metadata);
        su_metadata_done(&review->old);
        *review = (struct su_review){0};
}

static bool names(const json_t *array, const char *hex)
{
        json_t *entry;
        size_t i;

        json_array_foreach (array, i, entry) {
                const char *id = json_string_value(
                        json_is_object(entry) ? json_object_get(entry, "keyid") : entry);

                if (id && strcmp(id, hex) == 0)
                        return true;
        }
        return false;
}

static const json_t *root_ids(const struct su_metadata *metadata)
{
        const json_t *roles = json_object_get(metadata->signed_part, "roles");

        return json_object_get(json_object_get(roles, "root"), "keyids");
}

bool su_review_knows_key(const struct su_review *review, const struct su_sha256 *id)
{
        char hex[SU_SHA256_HEX_SIZE];

        su_hex_encode(id->bytes, sizeof id->bytes, hex);
        /* A staged file asks for signatures by their key ids. */
        if (names(json_object_get(review->metadata.document, "signatures"), hex))
                return true;
        return review->metadata.type == SU_ROLE_ROOT &&
               (names(root_ids(&review->metadata), hex) || names(root_ids(&review->old), hex));
}
