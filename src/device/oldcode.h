/* Which builds are old code once /usr goes from one level to another. */
#pragma once

#include "base/error.h"
#include "device/exposure.h"
#include "improvement/manifest.h"

/* Every build that `from` or `to` knows and that is not on /usr with `to`. Either may be NULL: the
 * baseline. Both must outlive `ret`. */
int su_old_code_between(const struct su_manifest *from, const struct su_manifest *to,
                        struct su_old_code_set *ret, struct su_error *err);
