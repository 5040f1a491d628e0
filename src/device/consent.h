/* Whether what is offered may be taken up: what the administrator forbids, what failed here before,
 * and what only a person may do. */
#pragma once

#include "base/error.h"
#include "device/offer.h"
#include "device/task.h"

/* MANAGED, QUARANTINED or WITHHELD, with the offer's own words. With --force the level's quarantine
 * ends; where no more is allowed by itself, the task becomes one that only downloads. */
int su_consent_check(struct su_task *task, const struct su_offer *offer, struct su_error *err);
