/* The output, of which the last bytes stay at hand. Bytes are appended, may be changed until they
 * are settled, and are then written in order. Positions count from the begin of the part.
 *
 * From `hold` on nothing is written: a place that is filled in later. The window grows then, up to
 * a limit. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "delta/elf/bytes.h"

#define SU_WINDOW_SIZE 65536
#define SU_WINDOW_SIZE_MAX (UINT32_C(8) << 20)
#define SU_WINDOW_KEEP 8192 /* how far back from its end a byte can be seen */

/* Takes settled bytes, in order. */
typedef int (*su_window_sink)(void *userdata, const uint8_t *data, size_t size,
                              struct su_error *err);

struct su_window {
        su_window_sink sink;
        void *userdata;
        uint64_t start;   /* of the first byte in `bytes` */
        uint64_t written; /* up to here they went to the sink */
        uint64_t settled;
        uint64_t end;
        uint64_t hold; /* UINT64_MAX: nothing is held */
        uint8_t *bytes;
        size_t capacity; /* and eight more, so that eight may be read anywhere */
};

int su_window_init(struct su_window *window, struct su_error *err);
void su_window_done(struct su_window *window);
void su_window_reset(struct su_window *window);
/* At most 4096 bytes at once may be unsettled and appended. DELTA when too much is held. */
int su_window_append(struct su_window *window, const uint8_t *data, size_t size,
                     struct su_error *err);
int su_window_flush(struct su_window *window, struct su_error *err);

static inline uint8_t *su_window_at(struct su_window *window, uint64_t position)
{
        return &window->bytes[position - window->start];
}

static inline bool su_window_has(const struct su_window *window, uint64_t position, unsigned size)
{
        return position <= window->end && window->end - position <= SU_WINDOW_KEEP &&
               size <= window->end - position;
}

/* Zero for what is not there. */
static inline uint8_t su_window_byte(struct su_window *window, uint64_t position)
{
        return su_window_has(window, position, 1) ? *su_window_at(window, position) : 0;
}

static inline uint32_t su_window_get32(struct su_window *window, uint64_t position)
{
        return su_window_has(window, position, 4) ? su_get32(su_window_at(window, position)) : 0;
}
