/* A method call that a run of `suture` answers, short and without a job. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "base/error.h"

/* Those that are not answered yet; zero at first. */
struct su_queries {
        struct su_query *first;
        void (*changed)(void *userdata); /* told when one without a result is done; may be NULL */
        void *userdata;
};

/* Answer `call` with what `program` prints for `arguments` (NULL at the end), as one string of
 * JSON where the method has a result, or with its error. Its sentences are in `language`, "" for
 * English. BUSY when too many are open. */
int su_query_start(struct su_queries *queries, const char *const *program,
                   const char *const arguments[], const char *language, sd_bus_message *call,
                   bool has_result, struct su_error *err);
void su_queries_done(struct su_queries *queries);
