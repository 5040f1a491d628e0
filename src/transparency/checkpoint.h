/* Checkpoints (C2SP tlog-checkpoint): the text of a signed note that says what a log holds.
 *
 *     origin            which log; not empty
 *     size              decimal, how many entries
 *     root              Base 64 of the root of the Merkle tree over them
 *     extension lines   opaque, none of them empty
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "crypto/sha256.h"

/* Sizes above have no file names and no proofs in 63 steps. */
#define SU_LOG_SIZE_MAX ((uint64_t)INT64_MAX)

struct su_checkpoint {
        char *origin;
        uint64_t size;
        struct su_sha256 root;
        char *extensions; /* lines with their newlines, or "" */
};

/* The text of a note. FORMAT when it is no checkpoint. */
int su_checkpoint_parse(const char *text, size_t size, struct su_checkpoint *ret,
                        struct su_error *err);
/* `extensions` may be NULL. FORMAT for what su_checkpoint_parse() would refuse. The caller frees.
 */
int su_checkpoint_format(const char *origin, uint64_t size, const struct su_sha256 *root,
                         const char *extensions, char **ret, struct su_error *err);
/* Free what it points to. */
void su_checkpoint_clear(struct su_checkpoint *checkpoint);
/* Start with {0}. */
#define su_auto_checkpoint su_auto(su_checkpoint_clear)
