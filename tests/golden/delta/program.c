/* A program in three versions, to make deltas between: make.sh compiles it. It runs nowhere. */
#include <stddef.h>
#include <stdint.h>

#ifndef VERSION
#define VERSION 1
#endif

int external(const char *text, int line);
extern int external_data;

#define REPORT(text) external(text, __LINE__)

static uint64_t totals[16];
static const char *const names[] = {"first", "second", "third", "fourth", "fifth"};
static int (*const handlers[])(const char *, int) = {external, external};

int sum(const uint32_t *values, size_t n)
{
        uint64_t total = 0;

        for (size_t i = 0; i < n; i++) {
#if VERSION >= 2
                if (values[i] > 100000)
                        return REPORT("a value is too large");
#endif
                total += values[i];
        }
        totals[n % 16] = total;
        return REPORT("summed");
}

#if VERSION >= 2
int checked_sum(const uint32_t *values, size_t n, size_t most)
{
        if (!values || n > most)
                return REPORT("there are too many values");
        return sum(values, n);
}
#endif

int kind_of(int value)
{
        switch (value) {
        case 0:
                return REPORT("nothing");
        case 1:
                return external_data;
        case 2:
                return sum(NULL, 0);
        case 3:
                return handlers[value & 1](names[2], 3);
        case 4:
                return (int)totals[3];
        case 5:
                return REPORT("five");
#if VERSION >= 3
        case 6:
                return REPORT("six is new");
#endif
        default:
                return REPORT("unknown");
        }
}

const char *name_of(unsigned i)
{
        if (i >= sizeof names / sizeof *names) {
                REPORT("no such name");
                return NULL;
        }
        external_data += (int)i;
        return names[i];
}

int all(void)
{
        int result = 0;

        for (int i = 0; i < 7; i++)
                result += kind_of(i) * REPORT(name_of((unsigned)i));
        return result;
}
