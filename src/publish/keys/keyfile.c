#include "publish/keys/keyfile.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "trust/keys.h"

#define TYPE "suture-key"
#define VERSION 1
#define SIZE_MAX_OF_FILE 65536

static void hand_over(struct su_key_file *file, struct su_key_file *ret)
{
        *ret = *file;
        *file = (struct su_key_file){0};
}

int su_key_file_make(const char *name, const struct su_public_key *key, struct su_key_file *ret,
                     struct su_error *err)
{
        su_auto_key_file struct su_key_file file = {0};
        int r;

        if (!su_name_is_safe(name))
                return su_fail(err, SU_ERROR_USAGE,
                               "'%s' is no name for a key: letters, digits and '._+~-' are", name);
        su_time_format(su_now(), file.created);
        r = su_strdup(name, &file.name, err);
        if (r >= 0)
                r = su_key_object(key, &file.object, &file.id, err);
        if (r < 0)
                return r;
        hand_over(&file, ret);
        return 0;
}

/* The key is one that is known here, and has the id that is said. */
static int check_key(const char *id, json_t *object, struct su_sha256 *ret_id, struct su_error *err)
{
        su_auto_json json_t *alone = json_pack("{s:O}", id, object);
        struct su_trust_keys keys = {0};
        int r;

        if (!alone)
                return su_fail_oom(err);
        r = su_trust_keys_read(alone, &keys, err);
        if (r >= 0 && keys.n_keys == 0)
                r = su_fail(err, SU_ERROR_UNSUPPORTED, "its key is of a type that is not known");
        if (r >= 0)
                *ret_id = keys.keys[0].id;
        su_trust_keys_done(&keys);
        return r;
}

static int parse(json_t *document, struct su_key_file *file, struct su_error *err)
{
        const char *name;
        const char *id;
        const char *created;
        json_t *object;
        int64_t when;
        int r;

        r = su_json_expect_type(document, TYPE, VERSION, err);
        if (r >= 0)
                r = su_json_get_string(document, "name", &name, err);
        if (r >= 0)
                r = su_json_get_string(document, "keyid", &id, err);
        if (r >= 0)
                r = su_json_get_string(document, "created", &created, err);
        if (r >= 0)
                r = su_json_get_object(document, "key", &object, err);
        if (r >= 0)
                r = check_key(id, object, &file->id, err);
        if (r < 0)
                return r;
        if (!su_name_is_safe(name))
                return su_fail(err, SU_ERROR_FORMAT, "its name is not a plain one");
        if (!su_time_parse(created, &when))
                return su_fail(err, SU_ERROR_FORMAT, "field 'created' is not a time");
        su_time_format(when, file->created);
        file->object = json_incref(object);
        return su_strdup(name, &file->name, err);
}

int su_key_file_read(int dir_fd, const char *path, struct su_key_file *ret, struct su_error *err)
{
        su_auto_key_file struct su_key_file file = {0};
        su_auto_json json_t *document = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_file_read(dir_fd, path, SIZE_MAX_OF_FILE, &text, &size, err);
        if (r < 0)
                return r;
        r = su_json_parse(text, size, &document, err);
        if (r >= 0)
                r = parse(document, &file, err);
        if (r < 0)
                return su_fail_prefix(err, r, "public key '%s'", path);
        hand_over(&file, ret);
        return 0;
}

int su_key_file_write(const struct su_key_file *file, int dir_fd, struct su_error *err)
{
        char id[SU_SHA256_HEX_SIZE];
        su_auto_json json_t *document = NULL;
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        su_hex_encode(file->id.bytes, sizeof file->id.bytes, id);
        document = json_pack("{s:s, s:i, s:s, s:s, s:s, s:O}", "type", TYPE, "version", VERSION,
                             "name", file->name, "keyid", id, "created", file->created, "key",
                             file->object);
        if (!document)
                return su_fail_oom(err);
        r = su_json_pretty(document, &text, &size, err);
        if (r >= 0)
                r = su_format(&path, err, "%s.pub", file->name);
        if (r >= 0)
                r = su_file_write(dir_fd, path, text, size, 0644, err);
        return r;
}

void su_key_file_done(struct su_key_file *file)
{
        free(file->name);
        json_decref(file->object);
        *file = (struct su_key_file){0};
}
