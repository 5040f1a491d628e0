/* One sentence of truth about a device. */
#pragma once

#include "cli/report.h"
#include "cli/screen.h"

#define SU_VERDICT_SIZE 512

/* The name of a tone in JSON: "plain", "good", "doubt", "bad". */
const char *su_tone_name(enum su_tone tone);
enum su_tone su_verdict_make(const struct su_report *report, char ret[SU_VERDICT_SIZE]);
