/* What is said first to a worker that did not begin as a fork of who asks it: where to fetch from,
 * and how. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "fetch/fetch.h"
#include "sandbox/message.h"

/* TOO_LARGE when URL and proxy are no such ones. The caller frees. */
int su_opening_format(const struct su_fetch_options *options, uint8_t **ret, size_t *ret_size,
                      struct su_error *err);
/* What it points to is in `message`. FORMAT when it is none, UNSUPPORTED when it comes from a
 * version that says it in another way, CONFIG when it leads anywhere but to a network. */
int su_opening_parse(const struct su_message *message, struct su_fetch_options *ret,
                     struct su_error *err);
