/* Signed notes (C2SP signed-note): text, an empty line, and a line "— NAME BASE64" for each
 * signature, which holds four bytes of key id and the signature itself.
 *
 * Parsing trusts nothing and proves nothing: the text counts only once su_note_check() has said
 * that a trusted key signed it. Signatures by other keys and of other types are passed over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "crypto/private_key.h"
#include "transparency/key.h"

#define SU_NOTE_SIZE_MAX (64 * 1024)
#define SU_NOTE_SIGNATURES_MAX 64

struct su_note_signature {
        const char *name; /* not terminated */
        size_t name_size;
        uint32_t key_id;
        const uint8_t *bytes; /* what follows the key id; at least one */
        size_t size;
};

/* Read only; owns all that it points to. */
struct su_note {
        char *text; /* with the newline at its end, and a NUL */
        size_t text_size;
        struct su_note_signature *signatures; /* as they stand in the note */
        size_t n_signatures;
        char *lines;
        uint8_t *bytes;
};

/* TOO_LARGE above the limits, FORMAT when it is no signed note. */
int su_note_parse(const char *data, size_t size, struct su_note **ret, struct su_error *err);
void su_note_free(struct su_note *note);

/* Name and id say that this key made the signature; whether it is valid is another question. */
bool su_note_signature_is_by(const struct su_note_signature *signature,
                             const struct su_note_key *key);

/* Check all signatures by a key of type SU_NOTE_ED25519. `ret_signed`: there is one, and it is
 * valid. SIGNATURE when one is wrong. */
int su_note_check(const struct su_note *note, const struct su_note_key *key, bool *ret_signed,
                  struct su_error *err);
/* The same, and SIGNATURE when there is none. */
int su_note_verify(const struct su_note *note, const struct su_note_key *key, struct su_error *err);

/* The signature line, with its newline, by which `private_key`, the private part of `key`, signs
 * `text`. SIGNATURE when it is the part of another key. The caller frees. */
int su_note_sign(const char *text, const struct su_note_key *key,
                 const struct su_private_key *private_key, char **ret_line, struct su_error *err);

/* The note of `text` and of signature lines, one after the other. FORMAT, TOO_LARGE as for
 * su_note_parse(). The caller frees. */
int su_note_format(const char *text, const char *lines, char **ret, struct su_error *err);
/* Add signature lines, such as a witness answers with, to the note in `data`. */
int su_note_add(const char *data, size_t size, const char *lines, size_t lines_size, char **ret,
                struct su_error *err);

static inline void su_note_free_p(struct su_note **note)
{
        su_note_free(*note);
}
#define su_auto_note su_auto(su_note_free_p)

/* For modules that define types of signatures: the line "— NAME BASE64". */
int su_note_signature_line(const struct su_note_key *key, const uint8_t *bytes, size_t size,
                           char **ret, struct su_error *err);
