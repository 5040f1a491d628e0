/* Verifier keys of signed notes, "NAME+ID+KEY" (C2SP signed-note, "Verifier keys"): a name, a type
 * of signature, a public key, and the id that follows from the three.
 *
 * KEY is the Base 64 of a byte that says the type, and of the 32 bytes of an Ed25519 key. ID is 8
 * hexadecimal digits, the first four bytes of SHA-256(NAME, newline, type, key).
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "crypto/public_key.h"

enum su_note_type {
        SU_NOTE_ED25519 = 0x01,     /* over the note's text: logs */
        SU_NOTE_COSIGNATURE = 0x04, /* Ed25519 over the text and a time: witnesses */
};

#define SU_KEY_NAME_MAX 255 /* bytes; what a cosigned message has room for */

/* Read only. */
struct su_note_key {
        char *name;
        uint32_t id;
        enum su_note_type type;
        uint8_t raw[SU_ED25519_PUBLIC_SIZE];
        struct su_public_key *key;
};

/* FORMAT when the name is none for a key, or the key is not Ed25519. */
int su_note_key_new(const char *name, enum su_note_type type, const struct su_public_key *key,
                    struct su_note_key **ret, struct su_error *err);
/* `size` bytes at `text`. FORMAT when they are malformed or the id is not the key's; UNSUPPORTED
 * for other types of signature. */
int su_note_key_parse(const char *text, size_t size, struct su_note_key **ret,
                      struct su_error *err);
/* The caller frees. */
int su_note_key_format(const struct su_note_key *key, char **ret, struct su_error *err);
void su_note_key_free(struct su_note_key *key);

static inline void su_note_key_free_p(struct su_note_key **key)
{
        su_note_key_free(*key);
}
#define su_auto_note_key su_auto(su_note_key_free_p)
