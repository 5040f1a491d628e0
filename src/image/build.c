#include "image/build.h"

#include <string.h>

#include "base/own.h"
#include "base/process.h"
#include "base/text.h"
#include "crypto/sha256.h"

/* RFC 9562 version 8: what a name hashes to. */
static int make_uuid(const char *identity, char **ret, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        struct su_sha256 digest;
        int r;

        r = su_sha256_of(identity, strlen(identity), &digest, err);
        if (r < 0)
                return r;
        digest.bytes[6] = 0x80 | (digest.bytes[6] & 0x0f);
        digest.bytes[8] = 0x80 | (digest.bytes[8] & 0x3f);
        su_hex_encode(digest.bytes, sizeof digest.bytes, hex);
        return su_format(ret, err, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                         hex + 20);
}

int su_image_build(const char *tree_path, const char *image_path, int64_t time,
                   const char *identity, bool keep_attributes, struct su_error *err)
{
        su_auto_free char *uuid = NULL;
        su_auto_free char *uuid_option = NULL;
        su_auto_free char *time_option = NULL;
        int r;

        r = make_uuid(identity, &uuid, err);
        if (r >= 0)
                r = su_format(&uuid_option, err, "-U%s", uuid);
        if (r >= 0)
                r = su_format(&time_option, err, "-T%lld", (long long)time);
        if (r < 0)
                return r;
        /* The time is the one that is said: of the variable's mkfs.erofs makes an upper bound.
         * Without the last two options it takes owners and attributes from the tree. */
        const char *const argv[] = {
                "env",
                "--unset=SOURCE_DATE_EPOCH",
                "mkfs.erofs",
                "--quiet",
                "-Enoinline_data",
                uuid_option,
                time_option,
                image_path,
                tree_path,
                keep_attributes ? NULL : "--all-root",
                keep_attributes ? NULL : "-x-1",
                NULL,
        };
        r = su_process_run(argv, NULL, NULL, err);
        return r < 0 ? su_fail_prefix(err, r, "mkfs.erofs") : 0;
}
