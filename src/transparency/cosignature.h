/* Cosignatures (C2SP tlog-cosignature, type 0x04): a witness says that at some time this checkpoint
 * was the largest of its log that it had seen, and consistent with all before.
 *
 * The signature in the note is the time in seconds since 1970, 8 bytes, big-endian, and an Ed25519
 * signature over "cosignature/v1", the line "time SECONDS", and the note's text.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "transparency/note.h"

/* Check all cosignatures by a key of type SU_NOTE_COSIGNATURE. `ret_signed`: there is one, and it
 * is valid; `ret_time` is the latest time then. SIGNATURE when one is wrong. */
int su_cosignature_check(const struct su_note *note, const struct su_note_key *witness,
                         bool *ret_signed, int64_t *ret_time, struct su_error *err);

/* What a cosignature says of its time, before anything is checked; -1 when it can be none. */
int64_t su_cosignature_time(const struct su_note_signature *signature);

/* The line, with its newline, by which a witness cosigns `text`, which must be a checkpoint
 * (FORMAT). The caller frees. */
int su_cosignature_make(const char *text, int64_t time, const struct su_note_key *witness,
                        const struct su_private_key *private_key, char **ret_line,
                        struct su_error *err);
