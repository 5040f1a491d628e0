/* Put a target into a directory, under its percent-encoded name. */
#pragma once

#include "trust/client.h"

/* After su_trust_refresh(). What is there already and is still the signed file stays untouched and
 * is not fetched; only a verified file ever gets the name. A file that takes another's place passes
 * through `metadata_fd`, so that a kill leaves nothing among the targets. */
int su_tuf_download(struct su_trust *trust, const char *path, int metadata_fd, int target_fd,
                    struct su_error *err);
