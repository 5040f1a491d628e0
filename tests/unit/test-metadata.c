#include "support.h"

#include <string.h>

#include "base/text.h"
#include "repository.h"
#include "trust/root.h"

static int setup(void **state)
{
        *state = repository_new();
        return 0;
}

static int teardown(void **state)
{
        repository_free(*state);
        return 0;
}

/* `signed_part` (taken over), signed by `signers`, as a document that is parsed again. */
static struct su_metadata parse_signed(struct repository *repository, json_t *signed_part,
                                       unsigned signers)
{
        su_auto_free char *text = repository_sign(repository, signed_part, signers);
        struct su_metadata metadata = {0};
        struct su_error err = {0};

        assert_ok(su_metadata_parse(SU_ROLE_ROOT, "root", text, strlen(text), &metadata, &err),
                  err);
        return metadata;
}

static struct su_root read_root(struct repository *repository)
{
        su_auto_metadata struct su_metadata metadata =
                parse_signed(repository, repository_root(repository), BIT(KEY_ROOT));
        struct su_root root;
        struct su_error err = {0};

        assert_ok(su_root_read(&metadata, &root, &err), err);
        return root;
}

static void test_parse_and_verify(void **state)
{
        struct repository *repository = *state;
        su_auto_root struct su_root root = read_root(repository);
        su_auto_metadata struct su_metadata metadata =
                parse_signed(repository, repository_root(repository), BIT(KEY_ROOT));
        struct su_error err = {0};

        assert_int_equal(metadata.version, 1);
        assert_int_equal(metadata.expires, 1798761600); /* 2027-01-01 */
        assert_int_equal(root.keys.n_keys, 4);
        assert_int_equal(root.signers[SU_ROLE_TARGETS].threshold, 1);
        assert_ok(su_root_verify(&root, &metadata, &err), err);
}

static void test_unknown_fields_are_signed_too(void **state)
{
        struct repository *repository = *state;
        su_auto_root struct su_root root = read_root(repository);
        json_t *signed_part = repository_root(repository);
        su_auto_metadata struct su_metadata metadata = {0};
        struct su_error err = {0};

        json_object_set_new(signed_part, "x-unknown", json_string("kept"));
        metadata = parse_signed(repository, signed_part, BIT(KEY_ROOT));
        assert_ok(su_root_verify(&root, &metadata, &err), err);
        json_object_set_new(metadata.signed_part, "x-unknown", json_string("changed"));
        assert_fails(su_root_verify(&root, &metadata, &err), err, SIGNATURE);
}

static void test_wrong_signers(void **state)
{
        struct repository *repository = *state;
        su_auto_root struct su_root root = read_root(repository);
        const unsigned wrong[] = {0, BIT(KEY_STRANGER), BIT(KEY_TIMESTAMP) | BIT(KEY_TARGETS)};

        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++) {
                su_auto_metadata struct su_metadata metadata =
                        parse_signed(repository, repository_root(repository), wrong[i]);
                struct su_error err = {0};

                assert_fails(su_root_verify(&root, &metadata, &err), err, SIGNATURE);
                assert_true(su_root_verify(&root, &metadata, NULL) < 0);
        }
}

static void test_a_bad_signature_beside_a_good_one(void **state)
{
        struct repository *repository = *state;
        su_auto_root struct su_root root = read_root(repository);
        su_auto_metadata struct su_metadata metadata = parse_signed(
                repository, repository_root(repository), BIT(KEY_ROOT) | BIT(KEY_STRANGER));
        struct su_error err = {0};

        assert_ok(su_root_verify(&root, &metadata, &err), err);
}

static void test_threshold_two(void **state)
{
        struct repository *repository = *state;
        struct repository_role *spec = &repository->roles[SU_ROLE_ROOT];
        su_auto_metadata struct su_metadata one = {0};
        su_auto_metadata struct su_metadata two = {0};
        su_auto_root struct su_root root = {0};
        struct su_error err = {0};

        spec->trusted |= BIT(KEY_SECOND);
        spec->threshold = 2;
        root = read_root(repository);
        one = parse_signed(repository, repository_root(repository), BIT(KEY_ROOT));
        assert_fails_with(su_root_verify(&root, &one, &err), err, SIGNATURE, "1 of 2");
        two = parse_signed(repository, repository_root(repository),
                           BIT(KEY_ROOT) | BIT(KEY_SECOND));
        assert_ok(su_root_verify(&root, &two, &err), err);
}

/* The document of `metadata`, read again after a change. */
static int parse_again(const struct su_metadata *metadata, struct su_error *err)
{
        su_auto_metadata struct su_metadata again = {0};
        su_auto_free char *text = NULL;
        size_t size;

        assert_int_equal(su_json_compact(metadata->document, &text, &size, NULL), 0);
        return su_metadata_parse(SU_ROLE_ROOT, "root", text, size, &again, err);
}

static void test_one_key_signs_twice(void **state)
{
        struct repository *repository = *state;
        su_auto_metadata struct su_metadata metadata =
                parse_signed(repository, repository_root(repository), BIT(KEY_ROOT));
        json_t *signatures = json_object_get(metadata.document, "signatures");
        struct su_error err = {0};

        assert_ok(parse_again(&metadata, &err), err);
        json_array_append_new(signatures, json_deep_copy(json_array_get(signatures, 0)));
        assert_fails_with(parse_again(&metadata, &err), err, FORMAT, "two signatures");
}

/* The same key material under a second key id, which an unknown field in the key object makes. */
static void test_one_key_under_two_ids(void **state)
{
        struct repository *repository = *state;
        su_auto_metadata struct su_metadata metadata = {0};
        json_t *signed_part;
        json_t *keys;
        json_t *twin;
        json_t *signature;
        su_auto_free char *text = NULL;
        char id[SU_SHA256_HEX_SIZE];
        struct su_sha256 digest;
        su_auto_root struct su_root root = {0};
        struct su_error err = {0};
        size_t size;

        repository->roles[SU_ROLE_ROOT].threshold = 2;
        repository->roles[SU_ROLE_TIMESTAMP].trusted = BIT(KEY_ROOT);
        repository->roles[SU_ROLE_SNAPSHOT].trusted = BIT(KEY_ROOT);
        repository->roles[SU_ROLE_TARGETS].trusted = BIT(KEY_ROOT);
        signed_part = repository_root(repository);
        keys = json_object_get(signed_part, "keys");
        twin = json_deep_copy(json_object_iter_value(json_object_iter(keys)));
        json_object_set_new(twin, "x", json_integer(1));
        assert_ok(su_json_canonical(twin, &text, &size, &err), err);
        assert_ok(su_sha256_of(text, size, &digest, &err), err);
        su_hex_encode(digest.bytes, sizeof digest.bytes, id);
        json_object_set_new(keys, id, twin);
        json_array_append_new(
                json_object_get(json_object_get(json_object_get(signed_part, "roles"), "root"),
                                "keyids"),
                json_string(id));
        metadata = parse_signed(repository, signed_part, BIT(KEY_ROOT));
        assert_ok(su_root_read(&metadata, &root, &err), err);
        assert_int_equal(root.signers[SU_ROLE_ROOT].n_ids, 2);
        signature =
                json_deep_copy(json_array_get(json_object_get(metadata.document, "signatures"), 0));
        json_object_set_new(signature, "keyid", json_string(id));
        json_array_append_new(json_object_get(metadata.document, "signatures"), signature);
        assert_fails_with(su_root_verify(&root, &metadata, &err), err, SIGNATURE, "1 of 2");
}

static void test_malformed_signatures(void **state)
{
        struct repository *repository = *state;
        static const char *const wrong[] = {"{}", "5", "[5]", "[{}]", "[{\"keyid\": 5}]"};

        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++) {
                su_auto_metadata struct su_metadata metadata =
                        parse_signed(repository, repository_root(repository), BIT(KEY_ROOT));
                struct su_error err = {0};

                json_object_set_new(metadata.document, "signatures",
                                    json_loads(wrong[i], JSON_DECODE_ANY, NULL));
                assert_fails(parse_again(&metadata, &err), err, FORMAT);
        }
}

/* What is no signature counts for nothing, and harms nothing. */
static void test_rubbish_in_place_of_a_signature(void **state)
{
        struct repository *repository = *state;
        su_auto_root struct su_root root = read_root(repository);
        static const char *const wrong[] = {"null", "5", "\"\"", "\"0\"", "\"zz\"", "\"00\""};

        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++) {
                su_auto_metadata struct su_metadata metadata =
                        parse_signed(repository, repository_root(repository), BIT(KEY_ROOT));
                json_t *signatures = json_object_get(metadata.document, "signatures");
                struct su_error err = {0};

                json_object_set_new(json_array_get(signatures, 0), "sig",
                                    json_loads(wrong[i], JSON_DECODE_ANY, NULL));
                assert_ok(parse_again(&metadata, &err), err);
                assert_fails_with(su_root_verify(&root, &metadata, &err), err, SIGNATURE, "0 of 1");
        }
}

static void test_malformed_heads(void **state)
{
        static const struct {
                const char *text;
                enum su_error_code code;
        } cases[] = {
                {"", SU_ERROR_FORMAT},
                {"[]", SU_ERROR_FORMAT},
                {"{}", SU_ERROR_FORMAT},
                {"{\"signed\": {}}", SU_ERROR_FORMAT},
                {"{\"signed\": {\"_type\": \"targets\", \"spec_version\": \"1.0\", "
                 "\"version\": 1, \"expires\": \"2027-01-01T00:00:00Z\"}}",
                 SU_ERROR_FORMAT},
                {"{\"signed\": {\"_type\": \"root\", \"spec_version\": \"2.0\", "
                 "\"version\": 1, \"expires\": \"2027-01-01T00:00:00Z\"}}",
                 SU_ERROR_UNSUPPORTED},
                {"{\"signed\": {\"_type\": \"root\", \"spec_version\": \"1.0\", "
                 "\"version\": 0, \"expires\": \"2027-01-01T00:00:00Z\"}}",
                 SU_ERROR_FORMAT},
                {"{\"signed\": {\"_type\": \"root\", \"spec_version\": \"1.0\", "
                 "\"version\": 1, \"expires\": \"2027-01-01\"}}",
                 SU_ERROR_FORMAT},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                struct su_metadata metadata = {.version = 77};
                struct su_error err = {0};

                assert_true(su_metadata_parse(SU_ROLE_ROOT, "root", cases[i].text,
                                              strlen(cases[i].text), &metadata, &err) < 0);
                assert_int_equal(err.code, cases[i].code);
                assert_int_equal(metadata.version, 77);
        }
}

static void refuse_root(struct repository *repository, json_t *signed_part, enum su_error_code code,
                        const char *part)
{
        su_auto_metadata struct su_metadata metadata =
                parse_signed(repository, signed_part, BIT(KEY_ROOT));
        struct su_root root = {.keys.n_keys = 77};
        struct su_error err = {0};

        assert_true(su_root_read(&metadata, &root, &err) < 0);
        assert_int_equal(err.code, code);
        assert_contains(err.message, part);
        assert_int_equal(root.keys.n_keys, 77);
}

static void test_malformed_roots(void **state)
{
        struct repository *repository = *state;
        json_t *signed_part = repository_root(repository);
        json_t *keys;
        const char *id;

        json_object_del(signed_part, "keys");
        refuse_root(repository, signed_part, SU_ERROR_FORMAT, "'keys'");
        signed_part = repository_root(repository);
        json_object_del(json_object_get(signed_part, "roles"), "snapshot");
        refuse_root(repository, signed_part, SU_ERROR_FORMAT, "'snapshot'");
        signed_part = repository_root(repository);
        json_object_set_new(signed_part, "consistent_snapshot", json_integer(1));
        refuse_root(repository, signed_part, SU_ERROR_FORMAT, "consistent");
        signed_part = repository_root(repository);
        json_object_set_new(json_object_get(json_object_get(signed_part, "roles"), "root"),
                            "threshold", json_integer(0));
        refuse_root(repository, signed_part, SU_ERROR_FORMAT, "'threshold'");
        signed_part = repository_root(repository);
        keys = json_object_get(signed_part, "keys");
        id = json_object_iter_key(json_object_iter(keys));
        json_object_set_new(json_object_get(keys, id), "x", json_integer(1));
        refuse_root(repository, signed_part, SU_ERROR_FORMAT, "is not that of its key");
}

static void test_meta_entries(void **state)
{
        static const char text[] =
                "{\"signatures\": [], \"signed\": {\"_type\": \"timestamp\", \"spec_version\": "
                "\"1.0\", \"version\": "
                "1, \"expires\": \"2027-01-01T00:00:00Z\", \"meta\": {\"a\": {\"version\": 3}, "
                "\"b\": {\"version\": 0}, \"c\": {\"version\": 1, \"length\": -1}, \"d\": "
                "{\"version\": 1, \"hashes\": {\"sha256\": \"00\"}}}}}";
        su_auto_metadata struct su_metadata metadata = {0};
        static const char *const wrong[] = {"b", "c", "d"};
        struct su_meta_entry entry;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_metadata_parse(SU_ROLE_TIMESTAMP, "timestamp", text, strlen(text), &metadata,
                                    &err),
                  err);
        assert_ok(su_meta_entry_read(&metadata, "a", &entry, &err), err);
        assert_int_equal(entry.version, 3);
        assert_false(entry.has_length || entry.has_hashes);
        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++)
                assert_fails(su_meta_entry_read(&metadata, wrong[i], &entry, &err), err, FORMAT);
        assert_fails(su_meta_entry_read(&metadata, "e", &entry, &err), err, NOT_FOUND);
        assert_int_equal(entry.version, 3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_parse_and_verify),
                TEST(test_unknown_fields_are_signed_too),
                TEST(test_wrong_signers),
                TEST(test_a_bad_signature_beside_a_good_one),
                TEST(test_threshold_two),
                TEST(test_one_key_signs_twice),
                TEST(test_one_key_under_two_ids),
                TEST(test_malformed_signatures),
                TEST(test_rubbish_in_place_of_a_signature),
                TEST(test_malformed_heads),
                TEST(test_malformed_roots),
                TEST(test_meta_entries),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
