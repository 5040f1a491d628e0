/* Watch what was restarted: whether it fails now, and did not before.
 *
 * A unit fails when systemd gave it up, or starts it again and again, or is about to do so at the
 * end of the watch; and when a health check fails then. What failed already before the change says
 * nothing about it: it is excused.
 */
#pragma once

#include "base/error.h"
#include "improvement/health.h"
#include "improvement/manifest.h"
#include "restart/plan.h"
#include "restart/units.h"
#include "restart/watched.h"

/* All health checks that hold for a level: its own, and health.d/NAME.conf below /usr/lib/suture
 * and /etc/suture. `manifest` may be NULL. CONFIG when a drop-in is malformed. */
int su_watch_load_health(int root_fd, const struct su_manifest *manifest, struct su_health *ret,
                         struct su_error *err);

/* Before /usr is changed: run the checks that may come to count, and excuse those that fail. */
int su_watch_excuse_checks(const struct su_plan *plan, const struct su_health *health,
                           const struct su_units *units, struct su_watched *watched,
                           struct su_error *err);

/* Before the plan is carried out: watch what it restarts or reloads, and excuse what fails already.
 */
int su_watch_units(const struct su_plan *plan, const struct su_units *units,
                   struct su_watched *watched, struct su_error *err);

/* One look while the watch lasts. `ret_reason` is a sentence that names the unit, in fresh memory;
 * NULL: nothing is wrong so far. */
int su_watch_look(const struct su_watched *watched, const struct su_units *units, char **ret_reason,
                  struct su_error *err);

/* The last look. */
int su_watch_judge(const struct su_watched *watched, const struct su_health *health,
                   const struct su_units *units, char **ret_reason, struct su_error *err);

/* The watched unit that such a sentence names; NULL: none, as for the system as a whole. */
const char *su_watch_unit_of(const struct su_watched *watched, const char *reason);

/* Once the level is gone: start what it broke, which is found in no process. RESTART, naming the
 * units, when some still do not come back. */
int su_watch_revive(const struct su_watched *watched, const struct su_units *units,
                    struct su_error *err);
