/* What a publisher says of a component. */
#pragma once

#include "improvement/manifest.h"
#include "publish/tool/verbs.h"

/* Into a component that may have versions and fixes of its packages already. */
int su_describe(const struct su_publish_arguments *arguments, struct su_component *component,
                struct su_error *err);
