/* All restart rules that hold on a system, the stronger ones later: the publisher's hints, what is
 * never restarted by itself, and the drop-ins of vendor and administrator.
 *
 * Drop-ins are restart.d/NAME.conf below /usr/lib/suture and /etc/suture, read in the order of
 * their names; one in /etc takes the place of the vendor's of the same name.
 */
#pragma once

#include "base/error.h"
#include "improvement/manifest.h"
#include "improvement/rule.h"

/* `from` and `to` may be NULL. CONFIG, naming file and line, when a drop-in is malformed. */
int su_restart_rules_load(int root_fd, const struct su_manifest *from, const struct su_manifest *to,
                          struct su_rules *ret, struct su_error *err);
