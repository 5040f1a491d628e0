/* The operations from one ELF module to another. */
#pragma once

#include "base/error.h"
#include "delta/elf/module.h"
#include "delta/make/labels.h"
#include "delta/make/match.h"

/* Labels need to know what moved where, which is what is sought: a few rounds settle it. */
int su_module_delta(const struct su_labelled *old, const struct su_labelled *new,
                    struct su_operations *ret, struct su_error *err);
