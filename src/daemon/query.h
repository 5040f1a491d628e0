/* A question that a run of `suture` answers, and that changes nothing. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/error.h"

/* Those that are not answered yet; zero at first. */
struct su_queries {
        struct su_query *first;
};

/* Answer `call` with what `program` prints for `arguments` (NULL at the end), as one string of
 * JSON, or with its error. */
int su_query_start(struct su_queries *queries, const char *program, const char *const arguments[],
                   sd_bus_message *call, struct su_error *err);
void su_queries_done(struct su_queries *queries);
