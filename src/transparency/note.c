#include "transparency/note.h"

#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "transparency/lines.h"

#define DASH "\xe2\x80\x94 " /* U+2014 and a space */
#define ID_SIZE 4

void su_note_free(struct su_note *note)
{
        if (!note)
                return;
        free(note->text);
        free(note->signatures);
        free(note->lines);
        free(note->bytes);
        free(note);
}

static int copy_text(const char *text, size_t size, char **ret, struct su_error *err)
{
        char *copy = malloc(size + 1);

        if (!copy)
                return su_fail_oom(err);
        memcpy(copy, text, size);
        copy[size] = '\0';
        *ret = copy;
        return 0;
}

/* The text ends with the first newline of the last two that follow each other. */
static int split(const char *data, size_t size, size_t *ret_text_size, struct su_error *err)
{
        for (size_t i = size; i >= 2; i--)
                if (data[i - 1] == '\n' && data[i - 2] == '\n') {
                        *ret_text_size = i - 1;
                        return 0;
                }
        return su_fail(err, SU_ERROR_FORMAT, "a signed note has an empty line after its text");
}

/* `bytes` is where the decoded signature goes; it has room for what Base 64 can give. */
static bool parse_signature(struct su_slice line, uint8_t *bytes, struct su_note_signature *ret)
{
        const char *space;
        size_t size;

        if (!su_slice_skip(&line, DASH) || line.size == 0)
                return false;
        space = memchr(line.text, ' ', line.size);
        if (!space)
                return false;
        *ret = (struct su_note_signature){.name = line.text,
                                          .name_size = (size_t)(space - line.text)};
        line.text += ret->name_size + 1;
        line.size -= ret->name_size + 1;
        if (!su_text_is_key_name(ret->name, ret->name_size) ||
            !su_base64_decode(line.text, line.size, bytes, line.size, &size) || size <= ID_SIZE)
                return false;
        ret->key_id = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                      (uint32_t)bytes[2] << 8 | bytes[3];
        ret->bytes = bytes + ID_SIZE;
        ret->size = size - ID_SIZE;
        return true;
}

static int parse_signatures(struct su_note *note, size_t size, struct su_error *err)
{
        struct su_lines lines = {.text = note->lines, .left = size};
        uint8_t *bytes = note->bytes;
        struct su_slice line;

        while (su_lines_next(&lines, &line)) {
                struct su_note_signature *signature = note->signatures + note->n_signatures;

                if (note->n_signatures == SU_NOTE_SIGNATURES_MAX)
                        return su_fail(err, SU_ERROR_TOO_LARGE,
                                       "the note has more than %d signatures",
                                       SU_NOTE_SIGNATURES_MAX);
                if (!parse_signature(line, bytes, signature))
                        return su_fail(err, SU_ERROR_FORMAT,
                                       "line %zu after the note's text is no signature",
                                       note->n_signatures + 1);
                bytes += ID_SIZE + signature->size;
                note->n_signatures++;
        }
        if (lines.left > 0)
                return su_fail(err, SU_ERROR_FORMAT, "the note does not end with a newline");
        if (note->n_signatures == 0)
                return su_fail(err, SU_ERROR_FORMAT, "the note has no signatures");
        return 0;
}

int su_note_parse(const char *data, size_t size, struct su_note **ret, struct su_error *err)
{
        su_auto_note struct su_note *note = NULL;
        size_t lines_size;
        size_t text_size;
        int r;

        if (size > SU_NOTE_SIZE_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "the note has more than %d bytes",
                               SU_NOTE_SIZE_MAX);
        if (!su_text_is_note(data, size))
                return su_fail(err, SU_ERROR_FORMAT,
                               "the note is not UTF-8, or has control characters");
        r = split(data, size, &text_size, err);
        if (r < 0)
                return r;
        lines_size = size - text_size - 1;
        note = calloc(1, sizeof *note);
        if (!note)
                return su_fail_oom(err);
        note->text_size = text_size;
        note->signatures = calloc(SU_NOTE_SIGNATURES_MAX, sizeof *note->signatures);
        note->bytes = malloc(lines_size + 1);
        if (!note->signatures || !note->bytes)
                return su_fail_oom(err);
        r = copy_text(data, text_size, &note->text, err);
        if (r >= 0)
                r = copy_text(data + text_size + 1, lines_size, &note->lines, err);
        if (r >= 0)
                r = parse_signatures(note, lines_size, err);
        if (r < 0)
                return r;
        *ret = su_take(note);
        return 0;
}

bool su_note_signature_is_by(const struct su_note_signature *signature,
                             const struct su_note_key *key)
{
        return signature->key_id == key->id && signature->name_size == strlen(key->name) &&
               memcmp(signature->name, key->name, signature->name_size) == 0;
}

static bool is_valid(const struct su_note *note, const struct su_note_signature *signature,
                     const struct su_note_key *key)
{
        struct su_signature ed25519 = {.size = SU_ED25519_SIGNATURE_SIZE};

        if (signature->size != SU_ED25519_SIGNATURE_SIZE)
                return false;
        memcpy(ed25519.bytes, signature->bytes, SU_ED25519_SIGNATURE_SIZE);
        return su_signature_is_valid(key->key, note->text, note->text_size, &ed25519);
}

int su_note_check(const struct su_note *note, const struct su_note_key *key, bool *ret_signed,
                  struct su_error *err)
{
        bool is_signed = false;

        if (key->type != SU_NOTE_ED25519)
                return su_fail(err, SU_ERROR_USAGE, "the key of '%s' does not sign notes",
                               key->name);
        for (size_t i = 0; i < note->n_signatures; i++) {
                if (!su_note_signature_is_by(note->signatures + i, key))
                        continue;
                if (!is_valid(note, note->signatures + i, key))
                        return su_fail(err, SU_ERROR_SIGNATURE, "the signature by '%s' is wrong",
                                       key->name);
                is_signed = true;
        }
        *ret_signed = is_signed;
        return 0;
}

int su_note_verify(const struct su_note *note, const struct su_note_key *key, struct su_error *err)
{
        bool is_signed;
        int r;

        r = su_note_check(note, key, &is_signed, err);
        if (r < 0)
                return r;
        if (!is_signed)
                return su_fail(err, SU_ERROR_SIGNATURE, "'%s' has not signed the note", key->name);
        return 0;
}

int su_note_signature_line(const struct su_note_key *key, const uint8_t *bytes, size_t size,
                           char **ret, struct su_error *err)
{
        su_auto_free uint8_t *whole = malloc(ID_SIZE + size);
        su_auto_free char *base64 = malloc(SU_BASE64_SIZE(ID_SIZE + size) + 1);

        if (!whole || !base64)
                return su_fail_oom(err);
        for (unsigned i = 0; i < ID_SIZE; i++)
                whole[i] = (uint8_t)(key->id >> (24 - 8 * i));
        memcpy(whole + ID_SIZE, bytes, size);
        su_base64_encode(whole, ID_SIZE + size, base64);
        return su_format(ret, err, DASH "%s %s\n", key->name, base64);
}

int su_note_sign(const char *text, const struct su_note_key *key,
                 const struct su_private_key *private_key, char **ret_line, struct su_error *err)
{
        struct su_signature signature;
        int r;

        if (key->type != SU_NOTE_ED25519)
                return su_fail(err, SU_ERROR_USAGE, "the key of '%s' does not sign notes",
                               key->name);
        r = su_sign(private_key, text, strlen(text), &signature, err);
        if (r < 0)
                return r;
        if (signature.size != SU_ED25519_SIGNATURE_SIZE ||
            !su_signature_is_valid(key->key, text, strlen(text), &signature))
                return su_fail(err, SU_ERROR_SIGNATURE,
                               "the private key is not the one of the verifier key of '%s'",
                               key->name);
        return su_note_signature_line(key, signature.bytes, signature.size, ret_line, err);
}

int su_note_format(const char *text, const char *lines, char **ret, struct su_error *err)
{
        su_auto_note struct su_note *parsed = NULL;
        su_auto_free char *note = NULL;
        int r;

        r = su_format(&note, err, "%s\n%s", text, lines);
        if (r >= 0)
                r = su_note_parse(note, strlen(note), &parsed, err);
        if (r < 0)
                return r;
        /* Else part of the one has become part of the other. */
        if (strcmp(parsed->text, text) != 0)
                return su_fail(err, SU_ERROR_FORMAT, "this is not the text of a signed note");
        *ret = su_take(note);
        return 0;
}

int su_note_add(const char *data, size_t size, const char *lines, size_t lines_size, char **ret,
                struct su_error *err)
{
        su_auto_note struct su_note *note = NULL;
        su_auto_free char *more = NULL;
        su_auto_free char *all = NULL;
        int r;

        r = su_note_parse(data, size, &note, err);
        if (r < 0)
                return r;
        if (lines_size > SU_NOTE_SIZE_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "the note has more than %d bytes",
                               SU_NOTE_SIZE_MAX);
        if (memchr(lines, '\0', lines_size))
                return su_fail(err, SU_ERROR_FORMAT, "the signature lines have a NUL in them");
        r = copy_text(lines, lines_size, &more, err);
        if (r >= 0)
                r = su_format(&all, err, "%s%s", note->lines, more);
        if (r < 0)
                return r;
        return su_note_format(note->text, all, ret, err);
}
