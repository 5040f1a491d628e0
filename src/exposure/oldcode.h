/* Which builds are old code once /usr goes from one level to another. */
#pragma once

#include "base/error.h"
#include "exposure/exposure.h"
#include "improvement/manifest.h"

/* Every build that `from`, `to` or one of the former levels knows and that does not lie on /usr
 * with `to`. `from` and `to` may be NULL: the baseline; their fits say what the base has by now.
 * `former` may be NULL. All must outlive `ret`. */
int su_old_code_between(const struct su_manifest *from, const struct su_manifest *to,
                        const struct su_manifest_list *former, struct su_old_code_set *ret,
                        struct su_error *err);
