/* FILE.KEYID.signature: one signature on its way back to the publisher. docs/FORMATS.md. */
#pragma once

#include "crypto/sha256.h"
#include "json/json.h"

struct su_signature_file {
        char *role;
        int64_t version;
        struct su_sha256 fingerprint; /* of what was signed */
        char *keyid;
        char *sig; /* hexadecimal */
};

int su_signature_file_read(const char *path, struct su_signature_file *ret, struct su_error *err);
int su_signature_file_write(const struct su_signature_file *file, const char *path,
                            struct su_error *err);
void su_signature_file_done(struct su_signature_file *file);
#define su_auto_signature_file su_auto(su_signature_file_done)
