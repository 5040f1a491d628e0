/* NAME.pub: a public key with its name, to be carried to other machines. docs/FORMATS.md. */
#pragma once

#include "base/clock.h"
#include "crypto/public_key.h"
#include "crypto/sha256.h"
#include "json/json.h"

struct su_key_file {
        char *name; /* a plain name */
        struct su_sha256 id;
        json_t *object; /* the key, as TUF metadata has it */
        char created[SU_TIME_TEXT_SIZE];
};

/* Of a key that is made now. */
int su_key_file_make(const char *name, const struct su_public_key *key, struct su_key_file *ret,
                     struct su_error *err);
/* FORMAT, naming the file, when it is none, or its key's id is not that of its key. */
int su_key_file_read(int dir_fd, const char *path, struct su_key_file *ret, struct su_error *err);
/* As NAME.pub in `dir_fd`. */
int su_key_file_write(const struct su_key_file *file, int dir_fd, struct su_error *err);
void su_key_file_done(struct su_key_file *file);
#define su_auto_key_file su_auto(su_key_file_done)
