#include "transparency/key.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "transparency/lines.h"

#define ID_DIGITS 8

/* What Base 64 holds: the type, then the key. */
struct typed_key {
        uint8_t bytes[1 + SU_ED25519_PUBLIC_SIZE];
};

/* C2SP signed-note, "Signatures". */
static int compute_id(const char *name, const struct typed_key *typed, uint32_t *ret,
                      struct su_error *err)
{
        char data[SU_KEY_NAME_MAX + 2 + sizeof typed->bytes];
        size_t size = strlen(name) + 1;
        struct su_sha256 digest;
        int r;

        (void)snprintf(data, sizeof data, "%s\n", name);
        memcpy(data + size, typed->bytes, sizeof typed->bytes);
        r = su_sha256_of(data, size + sizeof typed->bytes, &digest, err);
        if (r < 0)
                return r;
        *ret = (uint32_t)digest.bytes[0] << 24 | (uint32_t)digest.bytes[1] << 16 |
               (uint32_t)digest.bytes[2] << 8 | digest.bytes[3];
        return 0;
}

int su_note_key_new(const char *name, enum su_note_type type, const struct su_public_key *key,
                    struct su_note_key **ret, struct su_error *err)
{
        su_auto_note_key struct su_note_key *made = NULL;
        struct typed_key typed = {.bytes = {(uint8_t)type}};
        int r;

        if (strlen(name) > SU_KEY_NAME_MAX || !su_text_is_key_name(name, strlen(name)))
                return su_fail(err, SU_ERROR_FORMAT,
                               "'%s' is no name for a key: 1 to %d bytes of UTF-8 without spaces "
                               "and '+'",
                               name, SU_KEY_NAME_MAX);
        made = calloc(1, sizeof *made);
        if (!made)
                return su_fail_oom(err);
        made->type = type;
        r = su_strdup(name, &made->name, err);
        if (r >= 0)
                r = su_public_key_ed25519(key, made->raw, err);
        if (r >= 0)
                r = su_public_key_from_ed25519(made->raw, &made->key, err);
        if (r < 0)
                return r;
        memcpy(typed.bytes + 1, made->raw, sizeof made->raw);
        r = compute_id(name, &typed, &made->id, err);
        if (r < 0)
                return r;
        *ret = su_take(made);
        return 0;
}

void su_note_key_free(struct su_note_key *key)
{
        if (!key)
                return;
        su_public_key_free(key->key);
        free(key->name);
        free(key);
}

/* The part before the next '+', which is taken off with it. */
static bool take_part(struct su_slice *rest, struct su_slice *ret)
{
        const char *plus = rest->size > 0 ? memchr(rest->text, '+', rest->size) : NULL;

        if (!plus)
                return false;
        *ret = (struct su_slice){.text = rest->text, .size = (size_t)(plus - rest->text)};
        rest->text += ret->size + 1;
        rest->size -= ret->size + 1;
        return true;
}

static bool parse_id(struct su_slice span, uint32_t *ret)
{
        char digits[ID_DIGITS + 1] = "";
        uint8_t bytes[ID_DIGITS / 2];

        if (span.size != ID_DIGITS)
                return false;
        memcpy(digits, span.text, ID_DIGITS);
        if (!su_hex_decode(digits, bytes, sizeof bytes))
                return false;
        *ret = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
               bytes[3];
        return true;
}

/* The type is said before the size is looked at: keys of other types have other sizes. */
static int parse_typed_key(struct su_slice span, struct typed_key *ret, struct su_error *err)
{
        su_auto_free uint8_t *bytes = malloc(span.size + 1);
        size_t size;

        if (!bytes)
                return su_fail_oom(err);
        if (!su_base64_decode(span.text, span.size, bytes, span.size, &size) || size == 0)
                return su_fail(err, SU_ERROR_FORMAT, "the key is not in Base 64");
        if (bytes[0] != SU_NOTE_ED25519 && bytes[0] != SU_NOTE_COSIGNATURE)
                return su_fail(err, SU_ERROR_UNSUPPORTED,
                               "signatures of type 0x%02x are not supported, only 0x%02x and "
                               "0x%02x, of Ed25519",
                               bytes[0], SU_NOTE_ED25519, SU_NOTE_COSIGNATURE);
        if (size != sizeof ret->bytes)
                return su_fail(err, SU_ERROR_FORMAT, "an Ed25519 key has %d bytes, not %zu",
                               SU_ED25519_PUBLIC_SIZE, size - 1);
        memcpy(ret->bytes, bytes, sizeof ret->bytes);
        return 0;
}

int su_note_key_parse(const char *text, size_t size, struct su_note_key **ret, struct su_error *err)
{
        su_auto_note_key struct su_note_key *made = NULL;
        su_auto_public_key struct su_public_key *key = NULL;
        struct su_slice rest = {.text = text, .size = size};
        char name[SU_KEY_NAME_MAX + 1] = "";
        struct typed_key typed;
        struct su_slice part;
        uint32_t id;
        int r;

        if (!take_part(&rest, &part) || part.size > SU_KEY_NAME_MAX ||
            !su_text_is_key_name(part.text, part.size))
                return su_fail(err, SU_ERROR_FORMAT, "a verifier key is NAME+ID+KEY");
        memcpy(name, part.text, part.size);
        if (!take_part(&rest, &part) || !parse_id(part, &id))
                return su_fail(err, SU_ERROR_FORMAT,
                               "the id of the key of '%s' is not %d hexadecimal digits", name,
                               ID_DIGITS);
        r = parse_typed_key(rest, &typed, err);
        if (r >= 0)
                r = su_public_key_from_ed25519(typed.bytes + 1, &key, err);
        if (r >= 0)
                r = su_note_key_new(name, typed.bytes[0], key, &made, err);
        if (r < 0)
                return su_fail_prefix(err, r, "the key of '%s'", name);
        if (made->id != id)
                return su_fail(err, SU_ERROR_FORMAT,
                               "the key of '%s' has the id %08x, but %08x is written", name,
                               made->id, id);
        *ret = su_take(made);
        return 0;
}

int su_note_key_format(const struct su_note_key *key, char **ret, struct su_error *err)
{
        struct typed_key typed = {.bytes = {(uint8_t)key->type}};
        char base64[SU_BASE64_SIZE(sizeof typed.bytes) + 1];

        memcpy(typed.bytes + 1, key->raw, sizeof key->raw);
        su_base64_encode(typed.bytes, sizeof typed.bytes, base64);
        return su_format(ret, err, "%s+%08x+%s", key->name, key->id, base64);
}
