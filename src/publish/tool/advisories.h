/* The advisories after a publication. */
#pragma once

#include "publish/signing/publisher.h"

/* Write them anew, if the workspace has advisories.conf. They repeat what is in force already:
 * whatever fails here is a warning, and no reason for anything else to fail. */
void su_advisories_follow(const struct su_publisher *publisher);
