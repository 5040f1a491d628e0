#include "publish/keys/keyring.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "trust/keys.h"

#define URI_SIZE_MAX 4096
#define ENCRYPTED_PEM "-----BEGIN ENCRYPTED PRIVATE KEY-----"

static void key_free(struct su_key *key)
{
        if (!key)
                return;
        su_key_file_done(&key->file);
        su_private_key_free(key->opened);
        free(key);
}

static void key_free_p(struct su_key **key)
{
        key_free(*key);
}

static bool exists(const struct su_keyring *keyring, const char *name, const char *suffix)
{
        su_auto_free char *path = NULL;

        return su_format(&path, NULL, "%s%s", name, suffix) >= 0 &&
               faccessat(keyring->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_encrypted(const struct su_keyring *keyring, const char *name)
{
        char head[sizeof ENCRYPTED_PEM - 1];
        su_auto_free char *path = NULL;
        su_auto_close int fd = -EBADF;

        if (su_format(&path, NULL, "%s.pem", name) < 0)
                return false;
        fd = openat(keyring->fd, path, O_RDONLY | O_CLOEXEC);
        return fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head &&
               memcmp(head, ENCRYPTED_PEM, sizeof head) == 0;
}

static void look_for_private(const struct su_keyring *keyring, struct su_key *key)
{
        const char *name = key->file.name;

        key->place = exists(keyring, name, ".pem")   ? SU_KEY_HERE
                     : exists(keyring, name, ".uri") ? SU_KEY_IN_TOKEN
                                                     : SU_KEY_ELSEWHERE;
        key->encrypted = key->place == SU_KEY_HERE && is_encrypted(keyring, name);
}

/* Takes `file` over; keeps the order of names. */
static int insert(struct su_keyring *keyring, struct su_key_file *file, struct su_key **ret,
                  struct su_error *err)
{
        su_auto(key_free_p) struct su_key *key = calloc(1, sizeof *key);
        struct su_key **larger;
        size_t at = keyring->n_keys;

        if (!key)
                return su_fail_oom(err);
        key->file = *file;
        *file = (struct su_key_file){0};
        larger = reallocarray(keyring->keys, keyring->n_keys + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        keyring->keys = larger;
        look_for_private(keyring, key);
        for (; at > 0 && strcmp(larger[at - 1]->file.name, key->file.name) > 0; at--)
                larger[at] = larger[at - 1];
        keyring->n_keys++;
        larger[at] = su_take(key);
        if (ret)
                *ret = larger[at];
        return 0;
}

static int load(struct su_keyring *keyring, const char *entry, struct su_error *err)
{
        su_auto_key_file struct su_key_file file = {0};
        size_t stem = strlen(entry) - strlen(".pub");
        int r;

        r = su_key_file_read(keyring->fd, entry, &file, err);
        if (r < 0)
                return r;
        if (strlen(file.name) != stem || strncmp(file.name, entry, stem) != 0)
                return su_fail(err, SU_ERROR_CONFLICT, "'%s' is the key '%s': give it its name",
                               entry, file.name);
        return insert(keyring, &file, NULL, err);
}

int su_keyring_open(int fd, const struct su_secrets *secrets, struct su_keyring *ret,
                    struct su_error *err)
{
        su_auto_keyring struct su_keyring keyring = {.fd = fd, .secrets = *secrets};
        su_auto_closedir DIR *dir = NULL;
        struct dirent *entry;
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        dir = copy >= 0 ? fdopendir(copy) : NULL;
        if (!dir) {
                su_close_fd(&copy);
                return su_fail_errno(err, errno, "cannot list the keys");
        }
        while ((entry = readdir(dir))) {
                int r;

                if (!su_ends_with(entry->d_name, ".pub") || entry->d_name[0] == '.')
                        continue;
                r = load(&keyring, entry->d_name, err);
                if (r < 0)
                        return r;
        }
        *ret = keyring;
        keyring = (struct su_keyring){.fd = -EBADF};
        return 0;
}

void su_keyring_done(struct su_keyring *keyring)
{
        for (size_t i = 0; i < keyring->n_keys; i++)
                key_free(keyring->keys[i]);
        free(keyring->keys);
        su_close_fd(&keyring->fd);
        *keyring = (struct su_keyring){.fd = -EBADF};
}

struct su_key *su_keyring_find(const struct su_keyring *keyring, const struct su_sha256 *id)
{
        for (size_t i = 0; i < keyring->n_keys; i++) {
                struct su_key *key = keyring->keys[i];

                if (key && su_sha256_equal(&key->file.id, id)) /* no key is NULL */
                        return key;
        }
        return NULL;
}

struct su_key *su_keyring_named(const struct su_keyring *keyring, const char *name)
{
        for (size_t i = 0; i < keyring->n_keys; i++)
                if (strcmp(keyring->keys[i]->file.name, name) == 0)
                        return keyring->keys[i];
        return NULL;
}

static bool is_taken(const struct su_keyring *keyring, const char *name)
{
        return su_keyring_named(keyring, name) || exists(keyring, name, ".pem") ||
               exists(keyring, name, ".uri") || exists(keyring, name, ".pub");
}

int su_keyring_free_name(const struct su_keyring *keyring, const char *stem, char **ret,
                         struct su_error *err)
{
        su_auto_free char *name = NULL;
        int r;

        r = su_strdup(stem, &name, err);
        for (size_t i = 2; r >= 0 && is_taken(keyring, name); i++) {
                free(name);
                name = NULL;
                r = su_format(&name, err, "%s-%zu", stem, i);
        }
        if (r < 0)
                return r;
        *ret = su_take(name);
        return 0;
}

static int check_free(const struct su_keyring *keyring, const char *name, struct su_error *err)
{
        if (is_taken(keyring, name))
                return su_fail(err, SU_ERROR_CONFLICT, "there is a key '%s' already", name);
        return 0;
}

/* Nobody learns a new key from its public part before the private one is on the disk. */
static int save(struct su_keyring *keyring, const struct su_private_key *key, const char *name,
                bool protect, struct su_error *err)
{
        char passphrase[SU_PASSPHRASE_SIZE_MAX] = "";
        su_auto_free char *path = NULL;
        int r = 0;

        if (protect)
                r = su_secrets_get_new(&keyring->secrets, name, passphrase, err);
        if (r >= 0)
                r = su_format(&path, err, "%s.pem", name);
        if (r >= 0)
                r = su_private_key_save(key, keyring->fd, path, passphrase[0] ? passphrase : NULL,
                                        err);
        explicit_bzero(passphrase, sizeof passphrase);
        return r;
}

/* Write NAME.pub, and take the key into the ring. */
static int enter(struct su_keyring *keyring, const char *name, struct su_private_key **key,
                 struct su_key **ret, struct su_error *err)
{
        su_auto_public_key struct su_public_key *public_key = NULL;
        su_auto_key_file struct su_key_file file = {0};
        int r;

        r = su_private_key_public(*key, &public_key, err);
        if (r >= 0)
                r = su_key_file_make(name, public_key, &file, err);
        if (r >= 0)
                r = su_key_file_write(&file, keyring->fd, err);
        if (r >= 0)
                r = insert(keyring, &file, ret, err);
        if (r < 0)
                return r;
        (*ret)->opened = su_take(*key);
        return 0;
}

int su_keyring_make(struct su_keyring *keyring, const char *name, enum su_key_type type,
                    bool protect, struct su_key **ret, struct su_error *err)
{
        su_auto_private_key struct su_private_key *key = NULL;
        int r;

        if (!su_name_is_safe(name))
                return su_fail(err, SU_ERROR_USAGE, "'%s' is no name for a key", name);
        r = check_free(keyring, name, err);
        if (r >= 0)
                r = su_private_key_generate(type, &key, err);
        if (r >= 0)
                r = save(keyring, key, name, protect, err);
        if (r >= 0)
                r = enter(keyring, name, &key, ret, err);
        return r;
}

static int check_uri(const char *uri, struct su_error *err)
{
        if (!su_starts_with(uri, "pkcs11:"))
                return su_fail(err, SU_ERROR_USAGE, "'%s' is no PKCS #11 URI (RFC 7512)", uri);
        /* It would stand in a file that is no secret, and where every process is seen. */
        if (strstr(uri, "pin-value="))
                return su_fail(err, SU_ERROR_USAGE,
                               "the URI holds the PIN: leave it out, and give it with "
                               "--passphrase-file");
        return 0;
}

int su_keyring_add_token(struct su_keyring *keyring, const char *name, const char *uri,
                         struct su_key **ret, struct su_error *err)
{
        struct su_passphrase_source source = su_secrets_source(&keyring->secrets);
        su_auto_private_key struct su_private_key *key = NULL;
        su_auto_free char *path = NULL;
        su_auto_free char *line = NULL;
        int r;

        if (!su_name_is_safe(name))
                return su_fail(err, SU_ERROR_USAGE, "'%s' is no name for a key", name);
        r = check_uri(uri, err);
        if (r >= 0)
                r = check_free(keyring, name, err);
        if (r >= 0)
                r = su_private_key_open_token(uri, &source, &key, err);
        if (r >= 0)
                r = su_format(&path, err, "%s.uri", name);
        if (r >= 0)
                r = su_format(&line, err, "%s\n", uri);
        if (r >= 0)
                r = su_file_write(keyring->fd, path, line, strlen(line), 0600, err);
        if (r >= 0)
                r = enter(keyring, name, &key, ret, err);
        return r;
}

int su_keyring_add_public(struct su_keyring *keyring, const char *path, struct su_key **ret,
                          struct su_error *err)
{
        su_auto_key_file struct su_key_file file = {0};
        struct su_key *present;
        int r;

        r = su_key_file_read(AT_FDCWD, path, &file, err);
        if (r < 0)
                return r;
        present = su_keyring_find(keyring, &file.id);
        if (present) {
                *ret = present;
                return 0;
        }
        if (is_taken(keyring, file.name))
                return su_fail(err, SU_ERROR_CONFLICT,
                               "there is another key '%s' here: the one in '%s' needs a name of "
                               "its own",
                               file.name, path);
        r = su_key_file_write(&file, keyring->fd, err);
        return r < 0 ? r : insert(keyring, &file, ret, err);
}

bool su_key_is_usable(const struct su_keyring *keyring, const struct su_key *key)
{
        switch (key->place) {
        case SU_KEY_HERE:
                return key->opened || !key->encrypted || su_secrets_can_get(&keyring->secrets);
        case SU_KEY_IN_TOKEN: /* its PIN may stand in a file that the URI names */
                return true;
        case SU_KEY_ELSEWHERE:
                break;
        }
        return false;
}

static int open_token(struct su_keyring *keyring, const char *name,
                      const struct su_passphrase_source *source, struct su_private_key **ret,
                      struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *uri = NULL;
        size_t size;
        int r;

        r = su_format(&path, err, "%s.uri", name);
        if (r >= 0)
                r = su_file_read(keyring->fd, path, URI_SIZE_MAX, &uri, &size, err);
        if (r < 0)
                return r;
        uri[strcspn(uri, "\n")] = '\0';
        return su_private_key_open_token(uri, source, ret, err);
}

static int open_file(struct su_keyring *keyring, const char *name,
                     const struct su_passphrase_source *source, struct su_private_key **ret,
                     struct su_error *err)
{
        su_auto_free char *path = NULL;
        int r;

        r = su_format(&path, err, "%s.pem", name);
        return r < 0 ? r : su_private_key_load(keyring->fd, path, source, ret, err);
}

/* A private key that was put beside another's public one would sign what nobody accepts. */
static int check_pair(const struct su_key *key, const struct su_private_key *opened,
                      struct su_error *err)
{
        su_auto_public_key struct su_public_key *public_key = NULL;
        su_auto_json json_t *object = NULL;
        struct su_sha256 id;
        int r;

        r = su_private_key_public(opened, &public_key, err);
        if (r >= 0)
                r = su_key_object(public_key, &object, &id, err);
        if (r >= 0 && !su_sha256_equal(&id, &key->file.id))
                r = su_fail(err, SU_ERROR_CONFLICT,
                            "the private key '%s' is not the one of '%s.pub'", key->file.name,
                            key->file.name);
        return r;
}

int su_key_private(struct su_keyring *keyring, struct su_key *key,
                   const struct su_private_key **ret, struct su_error *err)
{
        struct su_passphrase_source source = su_secrets_source(&keyring->secrets);
        su_auto_private_key struct su_private_key *opened = NULL;
        int r;

        if (!key->opened) {
                if (key->place == SU_KEY_ELSEWHERE)
                        return su_fail(err, SU_ERROR_NOT_FOUND, "the private key '%s' is not here",
                                       key->file.name);
                r = key->place == SU_KEY_HERE
                            ? open_file(keyring, key->file.name, &source, &opened, err)
                            : open_token(keyring, key->file.name, &source, &opened, err);
                if (r >= 0)
                        r = check_pair(key, opened, err);
                if (r < 0)
                        return r;
                key->opened = su_take(opened);
        }
        *ret = key->opened;
        return 0;
}
