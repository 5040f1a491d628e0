#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t su_now(void)
{
        return (int64_t)time(NULL);
}

static uint64_t read_clock_us(clockid_t clock)
{
        struct timespec ts;

        (void)clock_gettime(clock, &ts);
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t su_now_us(void)
{
        return read_clock_us(CLOCK_REALTIME);
}

uint64_t su_monotonic_us(void)
{
        return read_clock_us(CLOCK_MONOTONIC);
}

void su_time_format(int64_t when, char ret[SU_TIME_TEXT_SIZE])
{
        time_t t = (time_t)when;
        struct tm tm;

        if (!gmtime_r(&t, &tm) ||
            strftime(ret, SU_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) != SU_TIME_TEXT_SIZE - 1)
                (void)snprintf(ret, SU_TIME_TEXT_SIZE, "0000-00-00T00:00:00Z");
}

/* Digits where the pattern has '0', the same character elsewhere. */
static bool matches_pattern(const char *text, const char *pattern)
{
        if (strlen(text) != strlen(pattern))
                return false;
        for (; *pattern; text++, pattern++)
                if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
                        return false;
        return true;
}

bool su_time_parse(const char *text, int64_t *ret)
{
        char again[SU_TIME_TEXT_SIZE];
        struct tm tm = {0};
        time_t t;

        if (!matches_pattern(text, "0000-00-00T00:00:00Z"))
                return false;
        if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                   &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
                return false;
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        t = timegm(&tm);
        su_time_format((int64_t)t, again); /* timegm() normalises the 31st of February; refuse it */
        if (strcmp(text, again) != 0)
                return false;
        *ret = (int64_t)t;
        return true;
}
