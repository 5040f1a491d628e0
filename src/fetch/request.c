#include "fetch/request.h"

#include "base/text.h"

/* Nobody waits longer for what fits into memory. */
#define MEMORY_TIME_S 600
/* And for a file as long as it would take at this rate, besides. */
#define SLOWEST_BYTES_PER_S 8192

bool su_is_entity_tag(const char *text)
{
        const char *c = su_starts_with(text, "W/") ? text + 2 : text;

        if (*c++ != '"')
                return false;
        while (*c > 0x20 && *c < 0x7f && *c != '"')
                c++;
        return c[0] == '"' && c[1] == '\0';
}

unsigned su_request_time_max_s(const struct su_request *request)
{
        return MEMORY_TIME_S +
               (request->is_exact ? (unsigned)(request->max / SLOWEST_BYTES_PER_S) : 0);
}
