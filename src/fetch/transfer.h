/* One connection of libcurl, and one request at a time. */
#pragma once

#include "base/error.h"
#include "base/own.h"
#include "fetch/fetch.h"
#include "fetch/request.h"

struct su_transfer;

int su_transfer_new(const struct su_fetch_options *options, struct su_transfer **ret,
                    struct su_error *err);
void su_transfer_free(struct su_transfer *transfer);
/* `ret` is written also on failure. */
int su_transfer_run(struct su_transfer *transfer, const struct su_request *request,
                    const struct su_sink *sink, struct su_result *ret, struct su_error *err);

static inline void su_transfer_free_p(struct su_transfer **transfer)
{
        su_transfer_free(*transfer);
}
#define su_auto_transfer su_auto(su_transfer_free_p)
