/* What goes out together: chosen from what waits, and written to outgoing.new/. */
#pragma once

#include "publish/signing/publishing.h"
#include "publish/signing/staging.h"

#define SU_OUTGOING "outgoing"
#define SU_OUTGOING_NEW "outgoing.new"
/* The timestamp that goes out before a new root; publishing.c says why there are two. */
#define SU_TIMESTAMP_BEFORE_ROOT "before-root.timestamp.json"

/* Which of `list` can go: it is complete, and so is all that it needs. `ret_goes` has one entry for
 * each. */
int su_outgoing_choose(const struct su_workspace *workspace, const struct su_staged_list *list,
                       bool *ret_goes, struct su_error *err);

/* Write it all, without effect until it is renamed. */
int su_outgoing_write(struct su_publisher *publisher, const struct su_staged_list *list,
                      const bool *goes, struct su_error *err);
