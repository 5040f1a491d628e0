/* Passphrases of keys and PINs of tokens: from a file or from a terminal, never from the command
 * line, where everybody sees them. */
#pragma once

#include <stdbool.h>

#include "crypto/private_key.h"

struct su_secrets {
        const char *file; /* whose first line it is; NULL: none was given */
        bool ask;         /* a new key gets one that is asked for */
};

/* `file` from the command line, else from SUTURE_PASSPHRASE_FILE. */
struct su_secrets su_secrets_from(const char *file, bool ask);

/* Whether a passphrase can be had at all. */
bool su_secrets_can_get(const struct su_secrets *secrets);
/* For keys that are there already. `secrets` must outlive it. */
struct su_passphrase_source su_secrets_source(struct su_secrets *secrets);

/* For a new key: yields the empty string when it is to have none. The caller wipes `buffer`. */
int su_secrets_get_new(const struct su_secrets *secrets, const char *what,
                       char buffer[SU_PASSPHRASE_SIZE_MAX], struct su_error *err);
