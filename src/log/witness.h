/* Ask a witness to cosign a checkpoint (C2SP tlog-witness, add-checkpoint). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "transparency/tiles.h"

/* `url` is its submission prefix; `note` the signed checkpoint of the log of `size` entries in
 * `tiles`. Gives the signature lines that it answered with, unchecked; the caller frees. */
int su_witness_ask(const char *url, struct su_tiles *tiles, uint64_t size, const char *note,
                   char **ret_lines, size_t *ret_size, struct su_error *err);
