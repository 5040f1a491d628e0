/* What a change is doing, for a person at a terminal. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct su_progress {
        bool is_shown;
        bool is_open; /* a line of it waits for its end */
        int percent;  /* -1: none was said */
};

/* A su_step_listener: it also passes on that the program was interrupted. */
bool su_progress_tell(void *userdata, const char *step, uint64_t done, uint64_t total);
void su_progress_end(struct su_progress *progress);
