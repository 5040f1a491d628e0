/* The repository as two base URLs, one for metadata and one for targets. */
#pragma once

#include "fetch/fetch.h"
#include "trust/client.h"

struct su_tuf_repository {
        struct su_fetch *metadata;
        struct su_fetch *targets; /* NULL: no target is wanted */
};

/* `targets_url` may be NULL. */
int su_tuf_repository_open(const char *metadata_url, const char *targets_url,
                           struct su_tuf_repository *ret, struct su_error *err);
void su_tuf_repository_done(struct su_tuf_repository *repository);

/* Good as long as the repository is. */
struct su_transport su_tuf_transport(struct su_tuf_repository *repository);
