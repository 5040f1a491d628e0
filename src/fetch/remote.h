/* Requests to a worker that fetches. It is started for the first one, and anew when it was ended.
 */
#pragma once

#include "base/error.h"
#include "base/own.h"
#include "fetch/fetch.h"
#include "fetch/request.h"

struct su_remote;

int su_remote_new(const struct su_fetch_options *options, struct su_remote **ret,
                  struct su_error *err);
void su_remote_free(struct su_remote *remote);
void su_remote_rest(struct su_remote *remote);

/* As su_transfer_run(), which a worker does; UNSUPPORTED when something is to be posted. */
int su_remote_run(struct su_remote *remote, const struct su_request *request,
                  const struct su_sink *sink, struct su_result *ret, struct su_error *err);

static inline void su_remote_free_p(struct su_remote **remote)
{
        su_remote_free(*remote);
}
#define su_auto_remote su_auto(su_remote_free_p)
