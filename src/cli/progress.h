/* What a change is doing, for a person at a terminal. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/verbs.h"

struct su_progress {
        FILE *parent; /* is told all; may be NULL */
        bool is_shown;
        bool is_open; /* a line of it waits for its end */
        int percent;  /* -1: none was said */
};

struct su_progress su_progress_for(const struct su_arguments *arguments);
/* A su_step_listener: it also passes on that the program was interrupted. */
bool su_progress_tell(void *userdata, const char *step, uint64_t done, uint64_t total);
void su_progress_end(struct su_progress *progress);
