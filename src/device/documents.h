/* The signed documents that the device asks for at each check, kept as they came: one whose signed
 * digest has not changed is not fetched again. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "device/engine.h"

/* The TUF target `path`, at most `max` bytes, verified; kept as `name`. NOT_FOUND when the
 * repository signs no such target. */
int su_document_get(struct su_engine *engine, const char *path, const char *name, size_t max,
                    char **ret_text, size_t *ret_size, struct su_error *err);
