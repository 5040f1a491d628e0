#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "repository.h"

/* A device: a scratch directory for its metadata, and a repository. */
struct device {
        struct scratch *scratch;
        struct repository *repository;
};

static int setup(void **state)
{
        struct device *device = calloc(1, sizeof *device);
        struct repository_file *root;
        void *scratch = NULL;
        struct su_error err = {0};

        assert_non_null(device);
        *state = device;
        device->repository = repository_new();
        if (scratch_setup(&scratch) < 0)
                return -1;
        device->scratch = scratch;
        root = repository_file(device->repository, "metadata/1.root.json");
        assert_ok(su_trust_init(device->scratch->fd, root->text, root->size, &err), err);
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

static int refresh_at(struct device *device, int64_t now, struct su_error *err)
{
        struct su_transport transport = repository_transport(device->repository);
        su_auto_trust struct su_trust *trust = NULL;
        int r;

        r = su_trust_open(device->scratch->fd, &trust, err);
        if (r < 0)
                return r;
        return su_trust_refresh(trust, &transport, now, err);
}

static int refresh(struct device *device, struct su_error *err)
{
        return refresh_at(device, REPOSITORY_NOW, err);
}

static void assert_stored_version(struct device *device, const char *role, int version)
{
        char name[32];
        char wanted[32];
        su_auto_free char *text = NULL;

        (void)snprintf(name, sizeof name, "%s.json", role);
        (void)snprintf(wanted, sizeof wanted, "\"version\":%d}}", version);
        text = read_text(device->scratch->fd, name);
        assert_contains(text, wanted);
}

static void assert_not_stored(struct device *device, const char *name)
{
        assert_int_equal(faccessat(device->scratch->fd, name, F_OK, 0), -1);
}

static void raise_all(struct device *device)
{
        device->repository->roles[SU_ROLE_TIMESTAMP].version++;
        device->repository->roles[SU_ROLE_SNAPSHOT].version++;
        device->repository->roles[SU_ROLE_TARGETS].version++;
}

static void test_good_refresh(void **state)
{
        struct device *device = *state;
        struct su_error err = {0};

        assert_ok(refresh(device, &err), err);
        assert_stored_version(device, "root", 1);
        assert_stored_version(device, "timestamp", 1);
        assert_stored_version(device, "snapshot", 1);
        assert_stored_version(device, "targets", 1);
        raise_all(device);
        repository_publish(device->repository);
        assert_ok(refresh(device, &err), err);
        assert_stored_version(device, "targets", 2);
}

static void test_nothing_new_costs_two_requests(void **state)
{
        struct device *device = *state;
        struct su_error err = {0};

        assert_ok(refresh(device, &err), err);
        device->repository->n_requests = 0;
        assert_ok(refresh(device, &err), err);
        assert_int_equal(device->repository->n_requests, 2); /* the next root, the timestamp */
}

static void test_without_hashes_in_meta(void **state)
{
        struct device *device = *state;
        struct su_error err = {0};

        device->repository->with_hashes = false;
        repository_publish(device->repository);
        assert_ok(refresh(device, &err), err);
}

static void test_get_target(void **state)
{
        struct device *device = *state;
        struct su_transport transport = repository_transport(device->repository);
        su_auto_trust struct su_trust *trust = NULL;
        su_auto_free char *data = NULL;
        struct su_target target;
        struct su_error err = {0};
        size_t size;

        assert_ok(su_trust_open(device->scratch->fd, &trust, &err), err);
        assert_fails(su_trust_find(trust, REPOSITORY_TARGET, &target, &err), err, CONFIG);
        assert_ok(su_trust_refresh(trust, &transport, REPOSITORY_NOW, &err), err);
        assert_int_equal(su_trust_find(trust, REPOSITORY_TARGET, &target, &err), 1);
        assert_int_equal(target.size, strlen(REPOSITORY_TEXT));
        assert_ok(su_trust_get(trust, REPOSITORY_TARGET, 4096, &data, &size, &err), err);
        assert_string_equal(data, REPOSITORY_TEXT);
        assert_int_equal(size, strlen(REPOSITORY_TEXT));
}

static void test_bad_targets(void **state)
{
        struct device *device = *state;
        struct su_transport transport = repository_transport(device->repository);
        struct repository_file *file = repository_target(device->repository);
        su_auto_trust struct su_trust *trust = NULL;
        char *data = NULL;
        struct su_error err = {0};
        size_t size = 77;

        assert_ok(su_trust_open(device->scratch->fd, &trust, &err), err);
        assert_ok(su_trust_refresh(trust, &transport, REPOSITORY_NOW, &err), err);
        assert_fails(su_trust_get(trust, "nothing", 4096, &data, &size, &err), err, NOT_FOUND);
        assert_fails(su_trust_get(trust, REPOSITORY_TARGET, 3, &data, &size, &err), err, TOO_LARGE);
        file->text[3] ^= 1;
        assert_fails(su_trust_get(trust, REPOSITORY_TARGET, 4096, &data, &size, &err), err, DIGEST);
        file->text[3] ^= 1;
        file->size--;
        assert_fails(su_trust_get(trust, REPOSITORY_TARGET, 4096, &data, &size, &err), err,
                     TRUNCATED);
        file->path[0] = 'x';
        assert_fails(su_trust_get(trust, REPOSITORY_TARGET, 4096, &data, &size, &err), err,
                     NOT_FOUND);
        assert_true(su_trust_get(trust, "nothing", 9, &data, &size, NULL) < 0);
        assert_null(data);
        assert_int_equal(size, 77);
}

/* Signed by the wrong key, each role is refused and not stored. */
static void test_wrong_signature_of_each_role(void **state)
{
        struct device *device = *state;
        static const enum su_role roles[] = {SU_ROLE_TARGETS, SU_ROLE_SNAPSHOT, SU_ROLE_TIMESTAMP};

        for (size_t i = 0; i < SU_ELEMENTS(roles); i++) {
                struct repository_role *spec = &device->repository->roles[roles[i]];
                char name[32];
                struct su_error err = {0};

                (void)snprintf(name, sizeof name, "%s.json", su_role_name(roles[i]));
                (void)unlinkat(device->scratch->fd, "timestamp.json", 0);
                (void)unlinkat(device->scratch->fd, "snapshot.json", 0);
                spec->signers = BIT(KEY_STRANGER);
                repository_publish(device->repository);
                assert_fails_with(refresh(device, &err), err, SIGNATURE, su_role_name(roles[i]));
                assert_not_stored(device, name);
                spec->signers = spec->trusted;
        }
}

static void test_same_version_with_other_content_is_not_adopted(void **state)
{
        struct device *device = *state;
        su_auto_free char *before = NULL;
        su_auto_free char *after = NULL;
        struct su_error err = {0};

        assert_ok(refresh(device, &err), err);
        before = read_text(device->scratch->fd, "timestamp.json");
        device->repository->roles[SU_ROLE_TIMESTAMP].expires = "2029-01-01T00:00:00Z";
        repository_publish(device->repository);
        assert_ok(refresh(device, &err), err);
        after = read_text(device->scratch->fd, "timestamp.json");
        assert_string_equal(before, after);
}

static void test_rollback_of_each_role(void **state)
{
        struct device *device = *state;
        static const enum su_role roles[] = {SU_ROLE_TIMESTAMP, SU_ROLE_SNAPSHOT, SU_ROLE_TARGETS};
        struct su_error err = {0};

        for (int i = 0; i < 5; i++)
                raise_all(device);
        repository_publish(device->repository);
        assert_ok(refresh(device, &err), err);
        for (size_t i = 0; i < SU_ELEMENTS(roles); i++) {
                struct repository_role saved[SU_ROLES];

                memcpy(saved, device->repository->roles, sizeof saved);
                raise_all(device);
                device->repository->roles[roles[i]].version = 3;
                repository_publish(device->repository);
                assert_fails_with(refresh(device, &err), err, ROLLBACK, su_role_name(roles[i]));
                assert_stored_version(device, su_role_name(roles[i]), 6);
                memcpy(device->repository->roles, saved, sizeof saved);
        }
}

static void test_expiry_of_each_role(void **state)
{
        struct device *device = *state;

        for (enum su_role role = 0; role < SU_ROLES; role++) {
                struct repository_role *spec = &device->repository->roles[role];
                struct su_error err = {0};

                raise_all(device);
                device->repository->roles[SU_ROLE_ROOT].version++;
                spec->expires = "2026-06-01T00:00:00Z"; /* the very moment: no longer valid */
                repository_publish(device->repository);
                assert_fails_with(refresh(device, &err), err, EXPIRED, su_role_name(role));
                spec->expires = "2026-06-01T00:00:01Z";
                raise_all(device);
                device->repository->roles[SU_ROLE_ROOT].version++;
                repository_publish(device->repository);
                assert_ok(refresh(device, &err), err);
                assert_fails(refresh_at(device, REPOSITORY_NOW + 1, &err), err, EXPIRED);
                spec->expires = "2027-01-01T00:00:00Z";
        }
}

static void test_wrong_length_and_hash(void **state)
{
        struct device *device = *state;
        struct repository_file *file;
        struct su_error err = {0};

        file = repository_file(device->repository, "metadata/1.snapshot.json");
        file->size--;
        assert_fails(refresh(device, &err), err, TRUNCATED);
        file->size++;
        file->text[file->size - 5] ^= 1;
        assert_fails(refresh(device, &err), err, DIGEST);
        file->text[file->size - 5] ^= 1;
        repository_put(device->repository, "metadata/1.targets.json", "{}");
        assert_fails_with(refresh(device, &err), err, TRUNCATED, "1.targets.json");
        assert_not_stored(device, "targets.json");
}

static void test_missing_files(void **state)
{
        struct device *device = *state;
        static const char *const paths[] = {"metadata/1.targets.json", "metadata/1.snapshot.json",
                                            "metadata/timestamp.json"};

        for (size_t i = 0; i < SU_ELEMENTS(paths); i++) {
                struct su_error err = {0};

                (void)unlinkat(device->scratch->fd, "timestamp.json", 0);
                (void)unlinkat(device->scratch->fd, "snapshot.json", 0);
                repository_file(device->repository, paths[i])->path[0] = 'x';
                assert_fails_with(refresh(device, &err), err, NOT_FOUND, paths[i]);
        }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_good_refresh),
                TEST(test_nothing_new_costs_two_requests),
                TEST(test_without_hashes_in_meta),
                TEST(test_get_target),
                TEST(test_bad_targets),
                TEST(test_wrong_signature_of_each_role),
                TEST(test_same_version_with_other_content_is_not_adopted),
                TEST(test_rollback_of_each_role),
                TEST(test_expiry_of_each_role),
                TEST(test_wrong_length_and_hash),
                TEST(test_missing_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
