/* suture-publish sign: what waits for signatures, and whose. */
#include <stdio.h>

#include "publish/verbs.h"
#include "publish/waiting.h"

int su_verb_sign(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_READ, &publisher, err);
        return r < 0 ? r : su_waiting_print(&publisher, err);
}
