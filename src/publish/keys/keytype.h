/* The types of keys, as the command line calls them. */
#pragma once

#include "crypto/public_key.h"

/* NULL: the default, Ed25519. */
int su_key_type_parse(const char *text, enum su_key_type *ret, struct su_error *err);
