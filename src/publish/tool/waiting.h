/* What waits for signatures, told to people and to programs. */
#pragma once

#include "publish/signing/publishing.h"
#include "publish/signing/staging.h"

/* Everything that waits, with the names of the keys that it waits for. */
int su_waiting_print(const struct su_publisher *publisher, struct su_error *err);
/* An array; docs/FORMATS.md is silent about it, suture-publish(1) is not. */
int su_waiting_json(const struct su_publisher *publisher, json_t **ret, struct su_error *err);

/* After a change: what went out, and what waits. */
int su_waiting_report(const struct su_publisher *publisher, const struct su_published *published,
                      struct su_error *err);

/* Commit what was staged, publish what can be, and have the advisories follow it. */
int su_waiting_finish(struct su_publisher *publisher, bool always, struct su_published *ret,
                      struct su_error *err);
