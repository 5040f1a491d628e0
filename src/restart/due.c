#include "restart/due.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/own.h"

#define EVERY_DAY 0x7f
#define TONIGHT_HOUR 2
#define NIGHT_AWAY_MAX (25 * 3600) /* summer time ends once a year */
#define MINUTES_A_DAY 1440

static const char *const day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static bool parse_day(const char *text, size_t size, uint8_t *days)
{
        for (size_t i = 0; i < SU_ELEMENTS(day_names); i++)
                if (size == strlen(day_names[i]) && strncmp(text, day_names[i], size) == 0) {
                        *days |= (uint8_t)(1U << i);
                        return true;
                }
        return false;
}

static bool parse_days(const char *text, size_t size, uint8_t *ret)
{
        *ret = 0;
        while (size > 0) {
                const char *comma = memchr(text, ',', size);
                size_t part = comma ? (size_t)(comma - text) : size;

                if (!parse_day(text, part, ret))
                        return false;
                text += part + (comma ? 1 : 0);
                size -= part + (comma ? 1 : 0);
                if (comma && size == 0)
                        return false;
        }
        return *ret != 0;
}

/* Exactly "HH:MM-HH:MM". */
static bool parse_hours(const char *text, struct su_window *ret)
{
        unsigned from_hour;
        unsigned from_minute;
        unsigned to_hour;
        unsigned to_minute;
        int end;
        int n = 0;

        if (sscanf(text, "%2u:%2u-%2u:%2u%n", &from_hour, &from_minute, &to_hour, &to_minute, &n) !=
                    4 ||
            text[n] != '\0' || n != 11 || from_hour > 23 || from_minute > 59 || to_hour > 24 ||
            to_minute > 59 || (to_hour == 24 && to_minute > 0))
                return false;
        ret->begin = (int)(from_hour * 60 + from_minute);
        end = (int)(to_hour * 60 + to_minute);
        ret->minutes = end > ret->begin ? end - ret->begin : end + MINUTES_A_DAY - ret->begin;
        return true;
}

bool su_window_parse(const char *text, struct su_window *ret)
{
        const char *blank = strchr(text, ' ');
        struct su_window window = {.days = EVERY_DAY};

        if (blank && !parse_days(text, (size_t)(blank - text), &window.days))
                return false;
        if (!parse_hours(blank ? blank + 1 + strspn(blank + 1, " ") : text, &window))
                return false;
        *ret = window;
        return true;
}

bool su_duration_parse(const char *text, int64_t *ret)
{
        static const struct {
                const char *name;
                int64_t seconds;
        } units[] = {{"", 1}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
        char *end;
        long long number;

        if (text[0] < '0' || text[0] > '9')
                return false;
        errno = 0;
        number = strtoll(text, &end, 10);
        if (errno != 0 || number > 1000000000)
                return false;
        for (size_t i = 0; i < SU_ELEMENTS(units); i++)
                if (strcmp(end, units[i].name) == 0) {
                        *ret = number * units[i].seconds;
                        return true;
                }
        return false;
}

static bool begins_on(const struct su_window *window, int day)
{
        return (window->days & 1U << (day + 7) % 7) != 0;
}

static bool window_is_open(const struct su_window *window, const struct tm *local)
{
        int minute = local->tm_hour * 60 + local->tm_min;

        if (begins_on(window, local->tm_wday) && minute >= window->begin &&
            minute < window->begin + window->minutes)
                return true;
        minute += MINUTES_A_DAY;
        return begins_on(window, local->tm_wday - 1) && minute < window->begin + window->minutes;
}

bool su_restart_is_open(const struct su_restart_policy *policy, int64_t now)
{
        time_t seconds = (time_t)now;
        struct tm local;

        if (policy->windows.n_windows == 0)
                return true;
        if (!localtime_r(&seconds, &local))
                return false;
        for (size_t i = 0; i < policy->windows.n_windows; i++)
                if (window_is_open(&policy->windows.windows[i], &local))
                        return true;
        return false;
}

/* Minute by minute: local time jumps twice a year, and eight days are few steps. */
int64_t su_restart_opens(const struct su_restart_policy *policy, int64_t now)
{
        int64_t at = now;

        for (int i = 0; i <= 8 * MINUTES_A_DAY; i++) {
                if (su_restart_is_open(policy, at))
                        return at;
                at = at - at % 60 + 60;
        }
        return -1;
}

int64_t su_restart_tonight(int64_t now)
{
        time_t seconds = (time_t)now;
        struct tm local;
        time_t at;

        if (!localtime_r(&seconds, &local))
                return now;
        if (local.tm_hour >= TONIGHT_HOUR)
                local.tm_mday++;
        local.tm_hour = TONIGHT_HOUR;
        local.tm_min = local.tm_sec = 0;
        local.tm_isdst = -1;
        at = mktime(&local);
        return at > seconds ? (int64_t)at : now;
}

int64_t su_restart_put_off_until(int64_t wish, int64_t now)
{
        return wish > now && wish - now <= NIGHT_AWAY_MAX ? wish : now;
}

bool su_restart_is_overdue(const struct su_restart_policy *policy, int64_t waiting_since,
                           int64_t now)
{
        return policy->deadline > 0 && waiting_since > 0 && now - waiting_since >= policy->deadline;
}

bool su_restart_is_due(const struct su_restart_policy *policy, int64_t waiting_since, int64_t now)
{
        return su_restart_is_open(policy, now) ||
               (policy->restart_overdue && su_restart_is_overdue(policy, waiting_since, now));
}
