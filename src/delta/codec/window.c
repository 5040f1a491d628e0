#include "delta/codec/window.h"

void su_window_reset(struct su_window *window)
{
        window->start = window->written = window->settled = window->end = 0;
}

int su_window_flush(struct su_window *window, struct su_error *err)
{
        size_t size = window->settled - window->written;
        int r;

        if (size == 0)
                return 0;
        r = window->sink(window->userdata, su_window_at(window, window->written), size, err);
        window->written = window->settled;
        return r;
}

int su_window_append(struct su_window *window, const uint8_t *data, size_t size,
                     struct su_error *err)
{
        int r;

        if (window->end - window->start + size > SU_WINDOW_SIZE) {
                uint64_t keep = window->settled - window->start > SU_WINDOW_KEEP
                                        ? window->settled - SU_WINDOW_KEEP
                                        : window->start;

                r = su_window_flush(window, err);
                if (r < 0)
                        return r;
                memmove(window->bytes, su_window_at(window, keep), window->end - keep);
                window->start = keep;
        }
        memcpy(su_window_at(window, window->end), data, size);
        window->end += size;
        return 0;
}
