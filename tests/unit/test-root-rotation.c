#include "support.h"

#include <string.h>

#include "base/file.h"
#include "repository.h"

struct device {
        struct scratch *scratch;
        struct repository *repository;
};

static int setup(void **state)
{
        struct device *device = calloc(1, sizeof *device);
        void *scratch = NULL;

        assert_non_null(device);
        *state = device;
        device->repository = repository_new();
        if (scratch_setup(&scratch) < 0)
                return -1;
        device->scratch = scratch;
        return 0;
}

static int teardown(void **state)
{
        struct device *device = *state;
        void *scratch = device->scratch;

        repository_free(device->repository);
        free(device);
        return scratch_teardown(&scratch);
}

static int init(struct device *device, struct su_error *err)
{
        struct repository_file *root = repository_file(device->repository, "metadata/1.root.json");

        return su_trust_init(device->scratch->fd, root->text, root->size, err);
}

static int refresh(struct device *device, struct su_error *err)
{
        struct su_transport transport = repository_transport(device->repository);
        su_auto_trust struct su_trust *trust = NULL;
        int r;

        r = su_trust_open(device->scratch->fd, &trust, err);
        if (r < 0)
                return r;
        return su_trust_refresh(trust, &transport, REPOSITORY_NOW, err);
}

static void assert_stored_root(struct device *device, int version)
{
        su_auto_metadata struct su_metadata metadata = {0};
        su_auto_free char *text = read_text(device->scratch->fd, "root.json");
        struct su_error err = {0};

        assert_ok(su_metadata_parse(SU_ROLE_ROOT, "root", text, strlen(text), &metadata, &err),
                  err);
        assert_int_equal(metadata.version, version);
}

static void test_without_a_root(void **state)
{
        struct device *device = *state;
        struct su_trust *trust = NULL;
        struct su_error err = {0};

        assert_fails(su_trust_open(device->scratch->fd, &trust, &err), err, CONFIG);
        assert_null(trust);
        assert_true(su_trust_open(device->scratch->fd, &trust, NULL) < 0);
}

static void test_init_refuses_what_is_no_signed_root(void **state)
{
        struct device *device = *state;
        struct repository_file *file = repository_file(device->repository, "metadata/1.root.json");
        struct su_trust *trust = NULL;
        struct su_error err = {0};

        assert_fails(su_trust_init(device->scratch->fd, "{}", 2, &err), err, FORMAT);
        device->repository->roles[SU_ROLE_ROOT].signers = BIT(KEY_STRANGER);
        repository_publish(device->repository);
        assert_fails_with(su_trust_init(device->scratch->fd, file->text, file->size, &err), err,
                          SIGNATURE, "root metadata");
        assert_true(su_trust_open(device->scratch->fd, &trust, &err) < 0);
}

static void test_init_keeps_the_present_root(void **state)
{
        struct device *device = *state;
        struct su_error err = {0};

        assert_ok(init(device, &err), err);
        assert_ok(su_trust_init(device->scratch->fd, "rubbish", 7, &err), err);
        assert_stored_root(device, 1);
}

static void test_damaged_stored_root(void **state)
{
        struct device *device = *state;
        struct su_trust *trust = NULL;
        struct su_error err = {0};

        write_text(device->scratch->fd, "root.json", "{");
        assert_fails_with(su_trust_open(device->scratch->fd, &trust, &err), err, FORMAT,
                          "root.json");
}

/* Damaged metadata of another role is fetched again. */
static void test_damaged_stored_timestamp(void **state)
{
        struct device *device = *state;
        su_auto_free char *text = NULL;
        struct su_error err = {0};

        assert_ok(init(device, &err), err);
        assert_ok(refresh(device, &err), err);
        write_text(device->scratch->fd, "timestamp.json", "{");
        write_text(device->scratch->fd, "targets.json", "");
        assert_ok(refresh(device, &err), err);
        text = read_text(device->scratch->fd, "targets.json");
        assert_contains(text, "signatures");
}

/* Version 2 has another root key; `signers` sign it. */
static void publish_second_root(struct device *device, unsigned signers)
{
        struct repository_role *spec = &device->repository->roles[SU_ROLE_ROOT];

        spec->version = 2;
        spec->trusted = BIT(KEY_SECOND);
        spec->signers = signers;
        repository_publish(device->repository);
}

static void test_rotation_signed_by_old_and_new(void **state)
{
        struct device *device = *state;
        struct repository_role *spec = &device->repository->roles[SU_ROLE_ROOT];
        struct su_error err = {0};

        assert_ok(init(device, &err), err);
        publish_second_root(device, BIT(KEY_ROOT) | BIT(KEY_SECOND));
        assert_ok(refresh(device, &err), err);
        assert_stored_root(device, 2);
        spec->version = 3; /* from now on the new key alone is enough */
        spec->signers = BIT(KEY_SECOND);
        repository_publish(device->repository);
        assert_ok(refresh(device, &err), err);
        assert_stored_root(device, 3);
}

static void test_rotation_signed_by_one_side_only(void **state)
{
        struct device *device = *state;
        const unsigned signers[] = {BIT(KEY_SECOND), BIT(KEY_ROOT), BIT(KEY_STRANGER)};
        struct su_error err = {0};

        assert_ok(init(device, &err), err);
        for (size_t i = 0; i < SU_ELEMENTS(signers); i++) {
                publish_second_root(device, signers[i]);
                assert_fails_with(refresh(device, &err), err, SIGNATURE, "root");
                assert_stored_root(device, 1);
        }
}

/* Keys in what a stranger sent are not even looked at. */
static void test_keys_of_a_stranger(void **state)
{
        struct device *device = *state;
        struct repository *repository = device->repository;
        su_auto_json json_t *root = NULL;
        su_auto_free char *text = NULL;
        struct su_error err = {0};

        assert_ok(init(device, &err), err);
        root = repository_root(repository);
        (void)json_object_set_new(root, "version", json_integer(2));
        (void)json_object_set_new(root, "keys", json_pack("{s:{}}", "00"));
        text = repository_sign(repository, json_incref(root), BIT(KEY_STRANGER));
        repository_put(repository, "metadata/2.root.json", text);
        assert_fails_with(refresh(device, &err), err, SIGNATURE, "root");
        assert_stored_root(device, 1);
}

static void test_two_rotations_at_once(void **state)
{
        struct device *device = *state;
        struct repository_role *spec = &device->repository->roles[SU_ROLE_ROOT];
        struct su_error err = {0};

        assert_ok(init(device, &err), err);
        publish_second_root(device, BIT(KEY_ROOT) | BIT(KEY_SECOND));
        spec->version = 3;
        spec->trusted = BIT(KEY_STRANGER);
        spec->signers = BIT(KEY_SECOND) | BIT(KEY_STRANGER);
        repository_publish(device->repository);
        assert_ok(refresh(device, &err), err);
        assert_stored_root(device, 3);
}

static void test_root_under_a_wrong_number(void **state)
{
        struct device *device = *state;
        struct repository *repository = device->repository;
        struct su_error err = {0};

        assert_ok(init(device, &err), err);
        repository_put(repository, "metadata/2.root.json",
                       repository_file(repository, "metadata/1.root.json")->text);
        assert_fails_with(refresh(device, &err), err, ROLLBACK, "version 1");
        assert_stored_root(device, 1);
}

static void test_an_expired_root_in_between_does_no_harm(void **state)
{
        struct device *device = *state;
        struct repository_role *spec = &device->repository->roles[SU_ROLE_ROOT];
        struct su_error err = {0};

        assert_ok(init(device, &err), err);
        spec->version = 2;
        spec->expires = "2020-01-01T00:00:00Z";
        repository_publish(device->repository);
        spec->version = 3;
        spec->expires = "2027-01-01T00:00:00Z";
        repository_publish(device->repository);
        assert_ok(refresh(device, &err), err);
        assert_stored_root(device, 3);
}

/* Specification 5.3.11: a thief of the timestamp key published version 1000; a new key begins at
 * version 1 again. */
static void test_new_keys_recover_from_a_fast_forward(void **state)
{
        struct device *device = *state;
        struct repository_role *roles = device->repository->roles;
        struct su_error err = {0};

        assert_ok(init(device, &err), err);
        roles[SU_ROLE_TIMESTAMP].version = 1000;
        roles[SU_ROLE_SNAPSHOT].version = 1000;
        repository_publish(device->repository);
        assert_ok(refresh(device, &err), err);
        roles[SU_ROLE_ROOT].version = 2;
        for (enum su_role role = SU_ROLE_TIMESTAMP; role <= SU_ROLE_SNAPSHOT; role++) {
                roles[role].version = 2;
                roles[role].trusted = roles[role].signers = BIT(KEY_SECOND);
        }
        repository_publish(device->repository);
        assert_ok(refresh(device, &err), err);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_without_a_root),
                TEST(test_init_refuses_what_is_no_signed_root),
                TEST(test_init_keeps_the_present_root),
                TEST(test_damaged_stored_root),
                TEST(test_damaged_stored_timestamp),
                TEST(test_rotation_signed_by_old_and_new),
                TEST(test_rotation_signed_by_one_side_only),
                TEST(test_keys_of_a_stranger),
                TEST(test_two_rotations_at_once),
                TEST(test_root_under_a_wrong_number),
                TEST(test_an_expired_root_in_between_does_no_harm),
                TEST(test_new_keys_recover_from_a_fast_forward),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
