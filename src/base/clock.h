/* Time: wall clock for what people and signatures see, monotonic for durations. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SU_TIME_TEXT_SIZE 21 /* "2026-01-31T12:00:00Z" and a NUL */

/* Seconds since 1970, UTC. */
int64_t su_now(void);
/* The same in microseconds. */
uint64_t su_now_us(void);
/* Microseconds since some fixed moment. */
uint64_t su_monotonic_us(void);

/* RFC 3339 in UTC with whole seconds and 'Z', and nothing else (TUF specification 4.2.1). */
bool su_time_parse(const char *text, int64_t *ret);
void su_time_format(int64_t when, char ret[SU_TIME_TEXT_SIZE]);
