#include "delta/codec/window.h"

#include <stdlib.h>

int su_window_init(struct su_window *window, struct su_error *err)
{
        window->capacity = SU_WINDOW_SIZE;
        window->bytes = malloc(window->capacity + 8);
        if (!window->bytes)
                return su_fail_oom(err);
        su_window_reset(window);
        return 0;
}

void su_window_done(struct su_window *window)
{
        free(window->bytes);
        window->bytes = NULL;
}

void su_window_reset(struct su_window *window)
{
        window->start = window->written = window->settled = window->end = 0;
        window->hold = UINT64_MAX;
}

int su_window_flush(struct su_window *window, struct su_error *err)
{
        uint64_t end = window->settled < window->hold ? window->settled : window->hold;
        int r;

        if (end <= window->written)
                return 0;
        r = window->sink(window->userdata, su_window_at(window, window->written),
                         end - window->written, err);
        window->written = end;
        return r;
}

/* Let go of what is written and far enough back. */
static void slide(struct su_window *window)
{
        uint64_t keep = window->end > SU_WINDOW_KEEP ? window->end - SU_WINDOW_KEEP : 0;

        if (keep > window->written)
                keep = window->written;
        if (keep <= window->start)
                return;
        memmove(window->bytes, su_window_at(window, keep), window->end - keep);
        window->start = keep;
}

static int grow(struct su_window *window, struct su_error *err)
{
        uint8_t *larger;

        if (window->capacity == SU_WINDOW_SIZE_MAX)
                return su_fail(err, SU_ERROR_DELTA,
                               "the delta is damaged: it holds back too much of its output");
        larger = realloc(window->bytes, window->capacity * 2 + 8);
        if (!larger)
                return su_fail_oom(err);
        window->bytes = larger;
        window->capacity *= 2;
        return 0;
}

int su_window_append(struct su_window *window, const uint8_t *data, size_t size,
                     struct su_error *err)
{
        if (window->end - window->start + size > window->capacity) {
                int r = su_window_flush(window, err);

                if (r < 0)
                        return r;
                slide(window);
                while (window->end - window->start + size > window->capacity) {
                        r = grow(window, err);
                        if (r < 0)
                                return r;
                }
        }
        memcpy(su_window_at(window, window->end), data, size);
        window->end += size;
        return 0;
}
