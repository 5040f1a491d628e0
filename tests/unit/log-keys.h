/* Logs and witnesses with keys that are the same each time. */
#pragma once

#include "crypto/private_key.h"
#include "transparency/key.h"

struct signer {
        struct su_private_key *private_key;
        struct su_note_key *key;
        char *vkey;
};

/* An Ed25519 key from its 32 secret bytes. */
struct su_private_key *private_key_of(const uint8_t seed[32]);
/* All 32 bytes of the secret are `seed`. */
void signer_open(struct signer *signer, const char *name, enum su_note_type type, uint8_t seed);
void signer_close(struct signer *signer);
#define auto_signer su_auto(signer_close)

/* A note of `text`, signed by a log. The caller frees. */
char *signed_note(const char *text, const struct signer *log);
/* Add a cosignature to the note; frees the former note. */
void cosign(char **note, const struct signer *witness, int64_t time);
