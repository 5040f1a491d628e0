#include "repository.h"

#include <string.h>

#include "base/text.h"

static void key_id(const struct su_private_key *key, json_t **ret_object,
                   char ret_id[SU_SHA256_HEX_SIZE])
{
        su_auto_public_key struct su_public_key *public_key = NULL;
        struct su_sha256 id;

        assert_int_equal(su_private_key_public(key, &public_key, NULL), 0);
        assert_int_equal(su_key_object(public_key, ret_object, &id, NULL), 0);
        su_hex_encode(id.bytes, sizeof id.bytes, ret_id);
}

static json_t *head(const struct repository *repository, enum su_role role)
{
        const struct repository_role *spec = &repository->roles[role];

        return json_pack("{s:s, s:s, s:I, s:s}", "_type", su_role_name(role), "spec_version",
                         "1.0.34", "version", (json_int_t)spec->version, "expires", spec->expires);
}

json_t *repository_root(const struct repository *repository)
{
        json_t *root = head(repository, SU_ROLE_ROOT);
        json_t *keys = json_object();
        json_t *roles = json_object();

        for (enum su_role role = 0; role < SU_ROLES; role++) {
                const struct repository_role *spec = &repository->roles[role];
                json_t *ids = json_array();

                for (unsigned i = 0; i < N_KEYS; i++) {
                        char id[SU_SHA256_HEX_SIZE];
                        json_t *object = NULL;

                        if (!(spec->trusted & BIT(i)))
                                continue;
                        key_id(repository->keys[i], &object, id);
                        json_object_set_new(keys, id, object);
                        json_array_append_new(ids, json_string(id));
                }
                json_object_set_new(
                        roles, su_role_name(role),
                        json_pack("{s:i, s:o}", "threshold", spec->threshold, "keyids", ids));
        }
        json_object_set_new(root, "consistent_snapshot", json_true());
        json_object_set_new(root, "keys", keys);
        json_object_set_new(root, "roles", roles);
        return root;
}

char *repository_sign(struct repository *repository, json_t *signed_part, unsigned signers)
{
        struct su_private_key *keys[N_KEYS];
        size_t n_keys = 0;
        char *text = NULL;
        size_t size;

        for (unsigned i = 0; i < N_KEYS; i++)
                if (signers & BIT(i))
                        keys[n_keys++] = repository->keys[i];
        assert_int_equal(su_metadata_sign(signed_part, keys, n_keys, &text, &size, NULL), 0);
        json_decref(signed_part);
        return text;
}

struct repository_file *repository_file(struct repository *repository, const char *path)
{
        for (size_t i = 0; i < repository->n_files; i++)
                if (strcmp(repository->files[i].path, path) == 0)
                        return &repository->files[i];
        return NULL;
}

static void put_owned(struct repository *repository, const char *path, char *text)
{
        struct repository_file *file = repository_file(repository, path);

        if (!file) {
                assert_true(repository->n_files < SU_ELEMENTS(repository->files));
                file = &repository->files[repository->n_files++];
                file->path = strdup(path);
                file->text = NULL;
        }
        free(file->text);
        file->text = text;
        file->size = strlen(text);
}

void repository_put(struct repository *repository, const char *path, const char *text)
{
        put_owned(repository, path, strdup(text));
}

static void hash_of(const char *text, char ret[SU_SHA256_HEX_SIZE])
{
        struct su_sha256 digest;

        assert_int_equal(su_sha256_of(text, strlen(text), &digest, NULL), 0);
        su_hex_encode(digest.bytes, sizeof digest.bytes, ret);
}

/* Sign `signed_part` as `role` and put it into the repository; gives what vouches for it. */
static json_t *publish(struct repository *repository, enum su_role role, json_t *signed_part)
{
        const struct repository_role *spec = &repository->roles[role];
        char *text = repository_sign(repository, signed_part, spec->signers);
        json_t *entry = json_pack("{s:I}", "version", (json_int_t)spec->version);
        char hash[SU_SHA256_HEX_SIZE];
        char path[64];

        if (role == SU_ROLE_TIMESTAMP)
                (void)snprintf(path, sizeof path, "metadata/timestamp.json");
        else
                (void)snprintf(path, sizeof path, "metadata/%lld.%s.json", (long long)spec->version,
                               su_role_name(role));
        if (repository->with_hashes) {
                hash_of(text, hash);
                json_object_set_new(entry, "length", json_integer((json_int_t)strlen(text)));
                json_object_set_new(entry, "hashes", json_pack("{s:s}", "sha256", hash));
        }
        put_owned(repository, path, text);
        return entry;
}

void repository_publish(struct repository *repository)
{
        json_t *targets = head(repository, SU_ROLE_TARGETS);
        json_t *snapshot = head(repository, SU_ROLE_SNAPSHOT);
        json_t *timestamp = head(repository, SU_ROLE_TIMESTAMP);
        char hash[SU_SHA256_HEX_SIZE];

        hash_of(REPOSITORY_TEXT, hash);
        json_object_set_new(targets, "targets",
                            json_pack("{s:{s:i, s:{s:s}}}", REPOSITORY_TARGET, "length",
                                      (int)strlen(REPOSITORY_TEXT), "hashes", "sha256", hash));
        json_object_set_new(
                snapshot, "meta",
                json_pack("{s:o}", "targets.json", publish(repository, SU_ROLE_TARGETS, targets)));
        json_object_set_new(timestamp, "meta",
                            json_pack("{s:o}", "snapshot.json",
                                      publish(repository, SU_ROLE_SNAPSHOT, snapshot)));
        json_decref(publish(repository, SU_ROLE_TIMESTAMP, timestamp));
        json_decref(publish(repository, SU_ROLE_ROOT, repository_root(repository)));
}

struct repository_file *repository_target(struct repository *repository)
{
        char hash[SU_SHA256_HEX_SIZE];
        char path[128];

        hash_of(REPOSITORY_TEXT, hash);
        (void)snprintf(path, sizeof path, "targets/debian-12/%s.channel.json", hash);
        if (!repository_file(repository, path))
                repository_put(repository, path, REPOSITORY_TEXT);
        return repository_file(repository, path);
}

struct repository *repository_new(void)
{
        struct repository *repository = calloc(1, sizeof *repository);

        assert_non_null(repository);
        for (unsigned i = 0; i < N_KEYS; i++)
                assert_int_equal(
                        su_private_key_generate(SU_KEY_ED25519, &repository->keys[i], NULL), 0);
        for (unsigned role = 0; role < SU_ROLES; role++)
                repository->roles[role] = (struct repository_role){
                        .version = 1,
                        .expires = "2027-01-01T00:00:00Z",
                        .trusted = BIT(role), /* KEY_ROOT to KEY_TARGETS are in the roles' order */
                        .threshold = 1,
                        .signers = BIT(role),
                };
        repository->with_hashes = true;
        repository_publish(repository);
        (void)repository_target(repository);
        return repository;
}

void repository_free(struct repository *repository)
{
        if (!repository)
                return;
        for (unsigned i = 0; i < N_KEYS; i++)
                su_private_key_free(repository->keys[i]);
        for (size_t i = 0; i < repository->n_files; i++) {
                free(repository->files[i].path);
                free(repository->files[i].text);
        }
        free(repository);
}

static int get(void *userdata, enum su_repository_part part, const char *name, size_t max,
               char **ret_data, size_t *ret_size, struct su_error *err)
{
        struct repository *repository = userdata;
        struct repository_file *file;
        char path[256];
        char *copy;

        repository->n_requests++;
        (void)snprintf(path, sizeof path, "%s/%s",
                       part == SU_PART_METADATA ? "metadata" : "targets", name);
        file = repository_file(repository, path);
        if (!file)
                return su_fail(err, SU_ERROR_NOT_FOUND, "no '%s'", path);
        if (file->size > max)
                return su_fail(err, SU_ERROR_TOO_LARGE, "'%s' is too large", path);
        copy = malloc(file->size + 1);
        if (!copy)
                return su_fail_oom(err);
        memcpy(copy, file->text, file->size);
        copy[file->size] = '\0';
        *ret_data = copy;
        *ret_size = file->size;
        return 0;
}

/* The name of a file's bytes is their hash. */
static int get_if_changed(void *userdata, enum su_repository_part part, const char *name,
                          size_t max, const char *etag, struct su_transport_answer *ret,
                          struct su_error *err)
{
        char hash[SU_SHA256_HEX_SIZE];
        struct su_transport_answer answer = {0};
        int r;

        r = get(userdata, part, name, max, &answer.data, &answer.size, err);
        if (r < 0)
                return r;
        hash_of(answer.data, hash);
        if (etag && strcmp(etag, hash) == 0) {
                free(answer.data);
                answer.data = NULL;
        }
        answer.etag = strdup(hash);
        *ret = answer;
        return 0;
}

struct su_transport repository_transport(struct repository *repository)
{
        return (struct su_transport){
                .get = get, .get_if_changed = get_if_changed, .userdata = repository};
}
