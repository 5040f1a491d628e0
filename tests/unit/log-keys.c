#include "log-keys.h"

#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "transparency/cosignature.h"
#include "transparency/note.h"

/* PKCS #8 of an Ed25519 key, up to its bytes (RFC 8410 section 7). */
static const uint8_t der_head[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                   0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

struct su_private_key *private_key_of(const uint8_t seed[32])
{
        char base64[SU_BASE64_SIZE(sizeof der_head + 32) + 1];
        uint8_t der[sizeof der_head + 32];
        struct su_private_key *key = NULL;
        struct su_error err = {0};
        su_auto_free char *pem = NULL;
        su_auto_close int fd = -EBADF;
        char path[64];

        memcpy(der, der_head, sizeof der_head);
        memcpy(der + sizeof der_head, seed, 32);
        su_base64_encode(der, sizeof der, base64);
        assert_ok(su_format(&pem, &err,
                            "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n", base64),
                  err);
        fd = memory_file_of_text(pem);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        assert_ok(su_private_key_load(AT_FDCWD, path, NULL, &key, &err), err);
        return key;
}

void signer_open(struct signer *signer, const char *name, enum su_note_type type, uint8_t seed)
{
        su_auto_public_key struct su_public_key *public_key = NULL;
        struct su_error err = {0};
        uint8_t bytes[32];

        memset(bytes, seed, sizeof bytes);
        *signer = (struct signer){.private_key = private_key_of(bytes)};
        assert_ok(su_private_key_public(signer->private_key, &public_key, &err), err);
        assert_ok(su_note_key_new(name, type, public_key, &signer->key, &err), err);
        assert_ok(su_note_key_format(signer->key, &signer->vkey, &err), err);
}

void signer_close(struct signer *signer)
{
        su_private_key_free(signer->private_key);
        su_note_key_free(signer->key);
        free(signer->vkey);
}

char *signed_note(const char *text, const struct signer *log)
{
        su_auto_free char *line = NULL;
        struct su_error err = {0};
        char *note = NULL;

        assert_ok(su_note_sign(text, log->key, log->private_key, &line, &err), err);
        assert_ok(su_note_format(text, line, &note, &err), err);
        return note;
}

void cosign(char **note, const struct signer *witness, int64_t time)
{
        su_auto_note struct su_note *parsed = NULL;
        su_auto_free char *line = NULL;
        struct su_error err = {0};
        char *more = NULL;

        assert_ok(su_note_parse(*note, strlen(*note), &parsed, &err), err);
        assert_ok(su_cosignature_make(parsed->text, time, witness->key, witness->private_key, &line,
                                      &err),
                  err);
        assert_ok(su_note_add(*note, strlen(*note), line, strlen(line), &more, &err), err);
        free(*note);
        *note = more;
}
