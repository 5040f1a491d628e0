#include "publish/tool/sigfile.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define TYPE "suture-signature"
#define VERSION 1
#define FILE_SIZE_MAX 65536

static int parse(const json_t *document, struct su_signature_file *file, struct su_error *err)
{
        const char *role;
        const char *keyid;
        const char *sig;
        int r;

        r = su_json_expect_type(document, TYPE, VERSION, err);
        if (r >= 0)
                r = su_json_get_string(document, "role", &role, err);
        if (r >= 0)
                r = su_json_get_integer(document, "role_version", 1, INT64_MAX, &file->version,
                                        err);
        if (r >= 0)
                r = su_json_get_hex(document, "sha256", file->fingerprint.bytes, SU_SHA256_SIZE,
                                    err);
        if (r >= 0)
                r = su_json_get_string(document, "keyid", &keyid, err);
        if (r >= 0)
                r = su_json_get_string(document, "sig", &sig, err);
        if (r >= 0)
                r = su_strdup(role, &file->role, err);
        if (r >= 0)
                r = su_strdup(keyid, &file->keyid, err);
        if (r >= 0)
                r = su_strdup(sig, &file->sig, err);
        return r;
}

int su_signature_file_read(const char *path, struct su_signature_file *ret, struct su_error *err)
{
        su_auto_signature_file struct su_signature_file file = {0};
        su_auto_json json_t *document = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text, &size, err);
        if (r < 0)
                return r;
        r = su_json_parse(text, size, &document, err);
        if (r >= 0)
                r = parse(document, &file, err);
        if (r < 0)
                return su_fail_prefix(err, r, "signature '%s'", path);
        *ret = file;
        file = (struct su_signature_file){0};
        return 0;
}

int su_signature_file_write(const struct su_signature_file *file, const char *path,
                            struct su_error *err)
{
        char sha256[SU_SHA256_HEX_SIZE];
        su_auto_json json_t *document = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        su_hex_encode(file->fingerprint.bytes, SU_SHA256_SIZE, sha256);
        document = json_pack("{s:s, s:i, s:s, s:I, s:s, s:s, s:s}", "type", TYPE, "version",
                             VERSION, "role", file->role, "role_version", (json_int_t)file->version,
                             "sha256", sha256, "keyid", file->keyid, "sig", file->sig);
        if (!document)
                return su_fail_oom(err);
        r = su_json_pretty(document, &text, &size, err);
        return r < 0 ? r : su_file_write(AT_FDCWD, path, text, size, 0644, err);
}

void su_signature_file_done(struct su_signature_file *file)
{
        free(file->role);
        free(file->keyid);
        free(file->sig);
        *file = (struct su_signature_file){0};
}
