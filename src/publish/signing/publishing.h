/* From staged/ to public/.
 *
 * What is complete is put together in outgoing.new/ with the snapshot and the timestamp that name
 * it; that directory's new name, outgoing/, decides: from there all of it goes to public/, whoever
 * is killed. The order is told in publishing.c.
 */
#pragma once

#include "publish/signing/publisher.h"

struct su_published {
        char **roles; /* of root, targets and baselines: whose metadata went out */
        size_t n_roles;
};

/* Publish all that waits and has its signatures. With `always` a snapshot and a timestamp are
 * signed even if there is nothing else. */
int su_publishing_run(struct su_publisher *publisher, bool always, struct su_published *ret,
                      struct su_error *err);
bool su_published_has(const struct su_published *published, const char *role);
void su_published_done(struct su_published *published);
#define su_auto_published su_auto(su_published_done)

bool su_publishing_is_pending(const struct su_workspace *workspace);
/* Complete what was begun. */
int su_publishing_settle(const struct su_workspace *workspace, struct su_error *err);
