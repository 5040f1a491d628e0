/* News of a baseline as an Atom feed (RFC 4287): an entry of each release and of each recall. */
#pragma once

#include "publish/advisory/subject.h"

int su_advisory_feed(const struct su_advised *subject, char **ret_text, size_t *ret_size,
                     struct su_error *err);
