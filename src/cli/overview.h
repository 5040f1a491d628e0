/* The status of a device, for people: one screen. */
#pragma once

#include "cli/attention.h"
#include "cli/report.h"

void su_overview_print(const struct su_report *report, const struct su_attentions *attentions);
